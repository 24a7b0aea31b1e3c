import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listTrail } from '../../../activities/inventory/trail.js';
import { openGateway, web, type Site } from './site.js';

let site: Site;
beforeEach(async () => {
  site = await openGateway();
});
afterEach(() => site.close());

const get = async (url: string) => {
  const answer = await site.ask('GET', url, { role: 'viewer' });
  return [answer.statusCode, answer.json()];
};
const post = async (url: string, body: unknown = {}, more: Parameters<Site['ask']>[2] = {}) => {
  const answer = await site.ask('POST', url, { body, ...more });
  return [answer.statusCode, answer.json()];
};
const trail = async () =>
  (await listTrail(site.inventory, { limit: 100 })).map(
    ({ by, via, action, subject, outcome }) => `${by} ${via} ${action} ${subject}: ${outcome}`,
  );

describe('what there is', () => {
  it.each([
    [
      '/api/v1/hosts',
      {
        items: [
          { name: 'h1', instances: 1 },
          { name: 'h2', instances: 0 },
        ],
      },
    ],
    ['/api/v1/hosts?enabled=true', { items: [{ name: 'h1' }, { name: 'h2' }] }],
    ['/api/v1/hosts/h1', { name: 'h1', instanceList: [{ id: web }], runningMigrations: [] }],
    ['/api/v1/hosts/h1/history', { items: [] }],
    ['/api/v1/instances', { items: [{ id: web, state: 'active', host: 'h1' }] }],
    ['/api/v1/instances?host=h2', { items: [] }],
    [`/api/v1/instances/${web}`, { id: web, operations: [], needsRepair: null }],
    [`/api/v1/instances/${web}/history?limit=5`, { items: [] }],
    ['/api/v1/runs', { items: [] }],
    ['/api/v1/incidents?open=true', { items: [] }],
    ['/api/v1/recovery', { fleet: { mode: 'armed' }, zones: [] }],
    ['/api/v1/capacity', { fits: true, hosts: 2 }],
    ['/api/v1/capacity?without=h1', { fits: true, placed: [{ to: 'h2' }] }],
    ['/api/v1/audits', { items: [] }],
    ['/api/v1/audit-trail', { items: [] }],
    ['/api/v1/audit-trail/verdict', { lines: 0, broken: null }],
    ['/api/v1/runbooks/host-down', { name: 'host-down', on: { alert: [{}] }, uses: [] }],
  ])('GET %s', async (url, told) => {
    expect(await get(url)).toMatchObject([200, told]);
  });

  it('lists the runbooks with their inputs and what starts them', async () => {
    const [status, { items }] = await get('/api/v1/runbooks');
    expect(status).toBe(200);
    expect(items).toContainEqual(
      expect.objectContaining({
        name: 'host-down',
        valid: true,
        inputs: expect.objectContaining({ host: expect.anything() }),
      }),
    );
  });

  it.each([
    '/api/v1/hosts/nobody',
    '/api/v1/instances/nobody',
    '/api/v1/instances/nobody/history',
    '/api/v1/runs/00000000-0000-4000-8000-000000000000/items',
    '/api/v1/incidents/nobody',
    '/api/v1/operations/nobody',
    '/api/v1/runbooks/nobody',
    '/api/v1/capacity?without=nobody',
  ])('404 for %s', async (url) => {
    expect(await get(url)).toMatchObject([404, { code: 'NotFound', hint: expect.any(String) }]);
  });

  it.each([
    ['/api/v1/runs?limit=0', /limit: must be/],
    ['/api/v1/runs?limit=x', /limit: must be a whole number from 1 to 1000/],
    ['/api/v1/runs?stat=running', /stat: unknown key/],
    ['/api/v1/runs?state=odd', /state: must be/],
    ['/api/v1/audit-trail?since=yesterday', /since/],
    ['/api/v1/runbooks/..%2f..%2fetc%2fpasswd', /must be the name of a runbook/],
    ['/api/v1/runbooks/host-down.yaml', /must be the name of a runbook/],
  ])('400 for %s', async (url, message) => {
    expect(await get(url)).toMatchObject([
      400,
      { code: 'InvalidInput', message: expect.stringMatching(message) },
    ]);
  });

  it('answers from the inventory while Temporal is away', async () => {
    site.away = true;
    expect(await get('/api/v1/runs')).toMatchObject([200, { items: [] }]);
    expect(await get(`/api/v1/instances/${web}`)).toMatchObject([200, { id: web }]);
    expect(await post('/api/v1/hosts/h1/operations/disable', { reason: 'x' })).toMatchObject([
      503,
      { code: 'TemporalUnreachable' },
    ]);
  });
});

describe('operations', () => {
  it('starts one, says where to look, and records who asked', async () => {
    const answer = await site.ask('POST', `/api/v1/instances/${web}/operations/stop`, { role: 'operator' });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      202,
      {
        operation: 'stop',
        state: 'running',
        workflowId: `local/instance/${web}`,
        workflowUrl: expect.stringContaining('http://ui'),
      },
    ]);
    expect(answer.headers.location).toBe(`/api/v1/operations/${answer.json().id}`);
    expect(site.begun).toMatchObject([
      {
        type: 'instance.stop',
        args: [{ request: { by: 'operator', role: 'operator' }, input: { instance: web } }],
      },
    ]);
    expect(await trail()).toEqual([`operator api instance.stop ${web}: done`]);
  });

  it('tries one out without beginning anything', async () => {
    const told = await post(
      `/api/v1/instances/${web}/operations/live-migrate?dryRun=true`,
      {},
      { role: 'viewer' },
    );
    expect(told).toMatchObject([
      200,
      { operation: 'live-migrate', allowed: true, placement: { host: 'h2' } },
    ]);
    expect(site.begun).toEqual([]);
  });

  it('launches by size or flavor', async () => {
    const body = { name: 'web-9', image: '/images/cirros.img', vcpus: 1, memory_mib: 128 };
    expect(await post('/api/v1/instances', body)).toMatchObject([
      202,
      { operation: 'launch', subject: 'web-9' },
    ]);
    expect(site.begun[0]).toMatchObject({
      type: 'instance.launch',
      args: [{ input: { name: 'web-9', vcpus: 1 } }],
    });
    const { vcpus: _, ...less } = body;
    expect(await post('/api/v1/instances', less)).toMatchObject(
      [400, { message: /launch needs a size/ }].map((x) =>
        typeof x === 'number' ? x : { message: expect.stringMatching(/needs a size/) },
      ),
    );
    expect(await post('/api/v1/instances', { ...body, flavor: 'nobody' })).toMatchObject([
      404,
      { code: 'NotFound' },
    ]);
  });

  it.each([
    ['/api/v1/hosts/h1/operations/disable', {}, 400, /reason/],
    ['/api/v1/hosts/h1/operations/disable', { reason: 'x', host: 'h2' }, 400, /host: unknown key/],
    ['/api/v1/hosts/h1/operations/explode', {}, 404, /there is nothing at POST/],
    ['/api/v1/instances/nobody/operations/stop', {}, 404, /no instance/],
    [`/api/v1/instances/${web}/operations/live-migrate`, { host: 3 }, 400, /host: must be/],
  ])('refuses %s %j', async (url, body, status, message) => {
    expect(await post(url, body)).toMatchObject([status, { message: expect.stringMatching(message) }]);
    expect(site.begun).toEqual([]);
  });
});

describe('runs', () => {
  it('starts a runbook, or tells what it would do', async () => {
    const url = '/api/v1/runbooks/drain-host/runs';
    const body = { inputs: { host: 'h1' } };
    expect(await post(`${url}?dryRun=true`, body, { role: 'viewer' })).toMatchObject([
      200,
      { runbook: 'drain-host', steps: expect.any(Array) },
    ]);
    expect(site.begun).toEqual([]);
    const [status, run] = await post(url, body, { role: 'automation' });
    expect([status, run]).toMatchObject([202, { runbook: 'drain-host', state: 'running' }]);
    expect(site.begun).toMatchObject([
      { type: 'run-runbook', args: [{ id: run.id, by: 'automation', role: 'automation' }] },
    ]);
    expect(await trail()).toEqual(['automation api run.start drain-host: done']);
  });

  it.each([
    ['drain-host', { inputs: { hosts: 'h1' } }, 400, /did you mean "host"/],
    ['drain-host', { inputs: { host: 'nobody' } }, 404, /there is no host/],
    ['drain-host', { inputs: { host: 'h1' }, force: true }, 403, /only an administrator may use force/],
    ['nobody', {}, 404, /there is no runbook/],
  ])('refuses %s %j', async (name, body, status, message) => {
    const told = await post(`/api/v1/runbooks/${name}/runs`, body, { role: 'operator' });
    expect(told).toMatchObject([status, { message: expect.stringMatching(message) }]);
    expect(site.begun).toEqual([]);
  });

  it('checks a text', async () => {
    const [, told] = await post(
      '/api/v1/runbook-checks',
      { source: 'name: x\nsteps: []\n' },
      { role: 'viewer' },
    );
    expect(told).toMatchObject({
      valid: false,
      issues: expect.arrayContaining([expect.objectContaining({ line: 2 })]),
    });
  });
});

describe('recovery', () => {
  it('is turned by an administrator, with a reason', async () => {
    expect(await post('/api/v1/recovery', { mode: 'disarmed' })).toMatchObject([
      400,
      { code: 'InvalidInput' },
    ]);
    const off = { mode: 'disarmed', reason: 'network work', for: '2h' };
    expect(await post('/api/v1/recovery', off, { role: 'operator' })).toMatchObject([
      403,
      { code: 'PermissionDenied' },
    ]);
    expect(await post('/api/v1/recovery', off, { role: 'automation' })).toMatchObject([403, {}]);
    expect(await post('/api/v1/recovery', off)).toMatchObject([200, { mode: 'disarmed', by: 'admin' }]);
    expect(await get('/api/v1/recovery')).toMatchObject([200, { fleet: { mode: 'disarmed' } }]);
    expect(await trail()).toContain('admin api recovery.mode fleet: done');
    expect(await trail()).toContain('operator api recovery.mode fleet: PermissionDenied');
  });
});
