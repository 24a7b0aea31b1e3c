/**
 * The alert at 3 a.m., with nobody there: Prometheus looks at real hosts, one loses its power, Alertmanager posts, and its
 * guests run elsewhere. A host that is cut off, a dead daemon and a Prometheus that is cut off raise the same alert: the first is
 * fenced, the others are not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incident } from '../../../model/incident.js';
import { freePort } from '../../temporal/helpers.js';
import { until } from '../world.js';
import { openDatacenter, shortly, type Datacenter } from './datacenter.js';
import { startMonitoring, type Monitoring } from './prometheus.js';

/** From a change to the alert takes some 20 s. */
const patience = 90_000;

describe('an alert recovers a host', { retry: 0 }, () => {
  let dc: Datacenter;
  let monitoring: Monitoring;
  let listen: string;
  let token: string;
  let gateway: ReturnType<Datacenter['background']>;
  const addresses: Record<string, string> = {};

  beforeAll(async () => {
    dc = await openDatacenter();
    await dc.guests(
      { name: 'web', host: 'host1', disk: 'shared' },
      { name: 'db', host: 'host1', disk: 'nas' },
      { name: 'other', host: 'host2', disk: 'shared' },
    );
    const made = await dc.ok('api-token', 'create', 'alertmanager', '--role', 'automation');
    token = made.trim().split('\n').at(-1) ?? '';
    listen = `127.0.0.1:${await freePort()}`;
    gateway = startGateway();
    for (const host of ['host1', 'host2']) addresses[host] = new URL(await dc.lab.uri(host)).hostname;
    const webhook = `http://${listen}/api/v1/alerts/alertmanager`;
    monitoring = await startMonitoring(dc.dir, { hosts: addresses, webhook, token });
    await until('the gateway is ready', patience, async () => (await ready()) === 200);
  });
  afterAll(async () => {
    await monitoring?.close();
    gateway?.kill('SIGTERM');
    await gateway;
    await dc?.close();
  });

  function startGateway() {
    const child = dc.background('gateway', '--listen', listen);
    child.stderr?.on('data', (text: Buffer) => void (gatewayLog += String(text)));
    return child;
  }
  let gatewayLog = '';
  const ready = async (): Promise<number> =>
    fetch(`http://${listen}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  const incidentsOf = async (host: string): Promise<Incident[]> =>
    (await dc.incidents()).filter((one) => one.host === host);
  const fires = (host: string, reason?: string) =>
    until(`HostDown of ${host} fires`, patience, async () =>
      (await monitoring.firing()).some(
        (alert) =>
          alert.alertname === 'HostDown' && alert.host === host && (reason ?? alert.reason) === alert.reason,
      ),
    );
  const isOver = (host: string) =>
    until(`HostDown of ${host} is over`, patience, async () =>
      (await monitoring.firing()).every((alert) => alert.host !== host),
    );
  const runsOf = async () => dc.json<{ runbook: string; state: string; by: string }[]>('run', 'list');
  const post = (alerts: object[]) =>
    fetch(`http://${listen}/api/v1/alerts/alertmanager`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ version: '4', alerts }),
    });

  test('a Prometheus that is cut off from a host fences nobody', async () => {
    const watcher = dc.watch();
    monitoring.place('host2', addresses['host2']?.replace(/\d+$/, '250') ?? '');
    await fires('host2', 'silent');
    await until('it was looked at', patience, async () =>
      (await incidentsOf('host2')).some(({ endedAt }) => endedAt !== null),
    );
    const [incident] = await incidentsOf('host2');
    expect(incident).toMatchObject({ state: 'false-alarm' });
    monitoring.place('host2', addresses['host2'] ?? '');
    await isOver('host2');
    expect(watcher.seen().guests.get('other')?.lives).toMatchObject([{ host: 'host2' }]);
    expect(await dc.hosts()).toContainEqual(
      expect.objectContaining({ name: 'host2', state: 'up', enabled: true }),
    );
    expect(await incidentsOf('host2')).toHaveLength(1);
  });

  test('libvirtd is dead and the guests live: a person is asked; it comes back, the alert is resolved, nothing was done', async () => {
    const watcher = dc.watch();
    await dc.lab.libvirtd('host2', 'kill');
    await fires('host2', 'libvirtd');
    const { id } = await dc.asks('host2', 'host2');
    expect(watcher.seen().guests.get('other')?.lives).toHaveLength(1);
    await dc.lab.libvirtd('host2', 'start');
    await isOver('host2');
    await until('its recovery has ended', patience, async () =>
      (await dc.incidents()).some((one) => one.id === id && one.state === 'false-alarm'),
    );
    watcher.assertNeverTwice('other');
    expect(watcher.seen().guests.get('other')?.lives).toMatchObject([{ host: 'host2' }]);
  });

  test('power loss, with the gateway killed, Temporal restarted and the alert told 1,000 times: the guests run elsewhere, once', async () => {
    const watcher = dc.watch();
    const before = new Map<string, string | undefined>();
    for (const name of ['web', 'db']) before.set(name, await dc.lastBoot(name));
    await dc.lab.crash('host1');
    const lost = Date.now();
    const since = () => (Date.now() - lost) / 1000;
    // Nobody is there to take the alert when it fires: Alertmanager says it again.
    gateway.kill('SIGKILL');
    await gateway;
    await dc.killTemporal();
    await fires('host1');
    const fired = since();
    await dc.startTemporal();
    gateway = startGateway();
    await until('the incident is open', patience, async () => (await incidentsOf('host1')).length > 0);
    const accepted = since();
    const alert = {
      status: 'firing',
      labels: { alertname: 'HostDown', host: 'host1', reason: 'silent', severity: 'critical' },
      startsAt: new Date(lost).toISOString(),
      fingerprint: 'told-again-and-again',
    };
    const storm = (async () => {
      for (let batch = 0; batch < 50; batch += 1) {
        const answers = await Promise.all(Array.from({ length: 20 }, () => post([alert])));
        for (const { status } of answers) expect(status).toBe(200);
        await sleep(100);
      }
    })();
    const waited = async (says: string) => {
      await until(says, shortly, async () => {
        const [incident] = await incidentsOf('host1');
        const { log } = await dc.json<{ log: { phase: string }[] }>('incident', 'show', incident?.id ?? '');
        return log.some(({ phase }) => phase === says);
      });
      return since();
    };
    const confirmed = await waited('settling');
    const fenced = await waited('fenced');
    const up: number[] = [];
    for (const [name, boot] of before) {
      await dc.judge.waitForTick(name, 1, shortly, { host: 'host2', notBoot: boot ?? '' });
      up.push(since());
    }
    await storm;
    await until(
      'the run has ended',
      patience,
      async () => (await incidentsOf('host1'))[0]?.state === 'recovered',
    );
    watcher.assertNeverTwice('web', 'db', 'other');
    expect(await incidentsOf('host1')).toHaveLength(1);
    const runs = (await runsOf()).filter(
      ({ by, runbook }) => by === 'alertmanager' && runbook === 'host-down',
    );
    expect(runs.filter(({ state }) => state === 'running')).toHaveLength(0);
    // One for each test here: a storm is no more than the alert.
    expect(runs).toHaveLength(3);
    const told = { fired, accepted, confirmed, fenced, first: Math.min(...up), last: Math.max(...up) };
    console.log('seconds from the power loss', JSON.stringify(told));
    expect(gatewayLog).not.toContain(token);
  });

  test('a host that is cut off and runs its guests: off before any starts elsewhere', async () => {
    await dc.bringBack('host1');
    await isOver('host1');
    const watcher = dc.watch();
    await dc.lab.partition('host2');
    await fires('host2', 'silent');
    await until('it is recovered', shortly, async () =>
      (await incidentsOf('host2')).some(({ state }) => state === 'recovered'),
    );
    for (const name of ['web', 'db', 'other']) {
      await dc.judge.waitForTick(name, 1, shortly, { host: 'host1' });
      expect(watcher.seen().guests.get(name)?.moves).toMatchObject([{ to: 'host1', oldHostOn: false }]);
    }
    watcher.assertNeverTwice('web', 'db', 'other');
  });
});
