/** For Prometheus, with the token of a viewer: what the inventory holds, and how the gateway itself does. */
import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, collectDefaultMetrics, type Registry } from 'prom-client';
import { countsOf, type Counts } from '../../activities/inventory/counts.js';
import type { Gateway } from '../gateway.js';
import { slowGauges } from '../slow-gauges.js';

/** Several Prometheus servers that ask at once are answered from one count. */
const freshMs = 5000;

export function register(app: FastifyInstance, gateway: Gateway, registry: Registry): void {
  const { inventory } = gateway;
  collectDefaultMetrics({ register: registry });
  const fill = gauges(registry);
  const seconds = new Histogram({
    name: 'drover_http_request_duration_seconds',
    help: 'Requests that the gateway answered',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });

  const slow = slowGauges(registry, gateway);
  let counted = Number.NEGATIVE_INFINITY;
  app.get('/metrics', async (_request, reply) => {
    if (performance.now() - counted > freshMs) {
      fill(await countsOf(inventory));
      counted = performance.now();
    }
    await slow();
    void reply.type(registry.contentType);
    return registry.metrics();
  });
}

function gauges(registry: Registry): (counts: Counts) => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const hosts = gauge('drover_hosts', 'Hosts in the inventory', ['state', 'enabled', 'fenced']);
  const instances = gauge('drover_instances', 'Instances in the inventory', ['state']);
  const broken = gauge('drover_instances_needing_repair', 'Instances that wait for `drover instance repair`');
  const runs = gauge('drover_runs', 'Runs of runbooks in the inventory', ['state']);
  const incidents = gauge('drover_incidents_open', 'Open incidents of hosts; asks: a person is waited for', [
    'asks',
  ]);
  return (counts) => {
    for (const each of [hosts, instances, runs, incidents]) each.reset();
    for (const { state, enabled, fenced, count } of counts.hosts)
      hosts.set({ state, enabled: String(enabled), fenced: String(fenced) }, count);
    for (const { state, count } of counts.instances) instances.set({ state }, count);
    broken.set(counts.instancesNeedingRepair);
    for (const { state, count } of counts.runs) runs.set({ state }, count);
    for (const asks of [true, false]) {
      const found = counts.incidentsOpen.find((one) => one.asks === asks);
      incidents.set({ asks: String(asks) }, found?.count ?? 0);
    }
  };
}
