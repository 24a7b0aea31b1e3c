import { beforeEach, describe, expect, it } from 'vitest';
import { createHypervisorActivities } from '../../../activities/hypervisor/activities.js';
import { createWaitActivities } from '../../../activities/wait.js';
import { FakePort, guest, id, jobView, newCall, recording, source, target } from './fake-port.js';

let fake: FakePort;
let activities: ReturnType<typeof createHypervisorActivities>;
const input = { instance: id, name: 'web-1', host: source };

beforeEach(() => {
  fake = new FakePort();
  fake.put(source, guest());
  const { deps } = recording(fake);
  activities = createHypervisorActivities(deps);
});

describe('changing a guest', () => {
  it('needs an owner', async () => {
    const nobody = { ...newCall(), owner: null };
    for (const change of [activities.startGuest, activities.pauseGuest, activities.removeGuest]) {
      await expect(change(input, nobody)).rejects.toMatchObject({ code: 'StaleOwner' });
    }
    expect(fake.calls).toEqual([]);
  });

  it('asks for nothing that is so already', async () => {
    fake.put(source, guest({ stamp: { instance: id, operation: 'op-1', epoch: 5 } }));
    await activities.startGuest(input, newCall());
    await activities.unpauseGuest(input, newCall());
    expect(fake.calls).toEqual([]);
  });

  it('is not done to a guest that moves', async () => {
    fake.put(source, guest({ power: 'migrating' }));
    await expect(activities.stopGuest({ ...input, graceSeconds: 1 }, newCall())).rejects.toMatchObject({
      code: 'HypervisorError',
    });
    fake.put(source, guest());
    fake.running = jobView();
    await expect(activities.removeGuest(input, newCall())).rejects.toMatchObject({ code: 'HypervisorError' });
    expect(fake.calls.filter((each) => !each.startsWith('stamp'))).toEqual([]);
  });

  it('waits no longer for a shutdown that is cancelled, and forces nothing', async () => {
    const call = newCall();
    const stopping = activities.stopGuest({ ...input, graceSeconds: 30 }, call);
    setTimeout(() => call.abort(true), 10);
    await expect(stopping).rejects.toMatchObject({ code: 'Cancelled' });
    expect(fake.calls).not.toContain('destroy host1');
  });

  it('takes a pause back where there is still something to take back', async () => {
    const undo = { ...input, undo: true };
    fake.put(source, guest({ power: 'paused' }));
    await activities.unpauseGuest(undo, newCall());
    expect(fake.at(source)?.power).toBe('running');
    const { length } = fake.calls;
    // Shut down from within: an undo that fails for ever would keep the instance from being started again.
    for (const view of [guest({ power: 'shutoff', stamp: newCall().owner }), null]) {
      fake.put(source, view);
      await activities.unpauseGuest(undo, newCall());
      await activities.pauseGuest(undo, newCall());
    }
    expect(fake.calls.slice(length)).toEqual([]);
  });

  it('removes what is gone already', async () => {
    fake.put(source, null);
    await expect(activities.removeGuest(input, newCall())).resolves.toEqual({ undone: true });
    await expect(activities.startGuest(input, newCall())).rejects.toMatchObject({ code: 'NotFound' });
  });
});

it('looks at every host, and a silent one is an answer', async () => {
  fake.silent.add('host2');
  const { sightings } = await activities.look({ instance: id, hosts: [source, target] }, newCall());
  expect(sightings).toMatchObject([
    { host: 'host1', power: 'running', error: null },
    { host: 'host2', power: 'unknown', error: 'host2 does not answer' },
  ]);
});

it('probes every host every time', async () => {
  const hosts = [source, target];
  const { deps } = recording(fake);
  const probing = createHypervisorActivities({
    ...deps,
    inventory: { ...deps.inventory, hosts: async () => hosts },
  });
  fake.silent.add('host2');
  const found = { up: ['host1'], unknown: [{ host: 'host2', reason: 'host2 does not answer' }] };
  await expect(probing.probeHosts({}, newCall())).resolves.toEqual(found);
  await expect(probing.probeHosts({}, newCall())).resolves.toEqual(found);
});

describe('waiting for a workflow', () => {
  const waiting = (runs: ({ open: boolean; type: string } | null)[]) =>
    createWaitActivities({ describe: async () => runs.shift() ?? null, pollMs: 1 });
  const busy = { open: true, type: 'operate' };

  it('ends when it does, or was never there', async () => {
    const wait = waiting([busy, busy, { ...busy, open: false }]);
    await expect(wait.waitForWorkflow({ workflowId: 'x', seconds: 5 }, newCall())).resolves.toEqual({
      free: true,
      holder: null,
    });
    await expect(wait.waitForWorkflow({ workflowId: 'x', seconds: 5 }, newCall())).resolves.toEqual({
      free: true,
      holder: null,
    });
  });

  it('tells the holder at the deadline, and stops when it is cancelled', async () => {
    const always = createWaitActivities({ describe: async () => busy, pollMs: 1 });
    await expect(always.waitForWorkflow({ workflowId: 'x', seconds: 0.01 }, newCall())).resolves.toEqual({
      free: false,
      holder: 'operate',
    });
    const call = newCall();
    call.abort(true);
    await expect(always.waitForWorkflow({ workflowId: 'x', seconds: 5 }, call)).rejects.toMatchObject({
      code: 'Cancelled',
    });
  });
});
