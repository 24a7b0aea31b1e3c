import { describe, expect, it } from 'vitest';
import { guest, jobView, source, target } from './fake-port.js';
import { call, fake, figures, migrate, records, starts } from './moving.js';

describe('a migration that arrives', () => {
  it('is started once, followed by its job, and judged by both hosts', async () => {
    fake.onStart = () => void (fake.running = jobView());
    fake.onJob = (asked) => {
      if (asked < 6) return;
      fake.arrive();
      fake.endClient(null);
    };
    await expect(migrate()).resolves.toEqual(figures);
    expect(starts()).toEqual(['migrate host1 host2']);
    expect(fake.at(target)?.stamp).toMatchObject({ operation: 'op-1', epoch: 5 });
    expect(call.beats).toContainEqual(
      expect.objectContaining({ phase: 'copying', percent: 25, remainingBytes: 75 }),
    );
    expect(records.started).toEqual(['mig-1']);
    expect(records.ended).toEqual([['mig-1', { ...figures, state: 'completed', reason: null }]]);
  });

  it('has arrived although its client failed', async () => {
    fake.onStart = () => {
      fake.arrive();
      fake.endClient('client socket is closed');
    };
    await expect(migrate()).resolves.toEqual(figures);
  });

  it('is looked for at once when its client ends while its job is asked for', async () => {
    records.deps.pace.pollMs = 3000;
    fake.onStart = () => void (fake.running = jobView());
    fake.onJob = (asked) => {
      if (asked < 2) return;
      fake.endClient(null);
      // After this very answer, which still tells of a job.
      void Promise.resolve().then(() => fake.arrive());
    };
    const begun = Date.now();
    await expect(migrate()).resolves.toEqual(figures);
    expect(Date.now() - begun).toBeLessThan(5900);
  });

  it('goes on when its client is killed in the middle', async () => {
    fake.onStart = () => {
      fake.running = jobView();
      fake.endClient('the client was killed');
    };
    fake.onJob = (asked) => void (asked > 5 && fake.arrive());
    await expect(migrate()).resolves.toEqual(figures);
    expect(starts()).toHaveLength(1);
  });

  it('is not started again by an attempt that finds its job', async () => {
    fake.running = jobView();
    fake.onJob = (asked) => void (asked > 3 && fake.arrive());
    await expect(migrate()).resolves.toEqual(figures);
    expect(starts()).toEqual([]);
    expect(records.started).toEqual(['mig-1']);
  });

  it('is not started again by an attempt that finds it done', async () => {
    fake.arrive();
    await expect(migrate()).resolves.toEqual(figures);
    expect(fake.calls).toEqual([]);
    expect(records.ended).toHaveLength(1);
  });

  it('is followed to the end when another client was a moment faster', async () => {
    fake.onStart = () => {
      fake.running = jobView();
      fake.endClient('another migration job is already running');
    };
    fake.onJob = (asked) => void (asked > 4 && fake.arrive());
    await expect(migrate()).resolves.toEqual(figures);
  });

  it('removes the definition that a killed source kept', async () => {
    fake.put(source, guest({ power: 'shutoff' }));
    fake.put(target, guest());
    await expect(migrate()).resolves.toEqual(figures);
    expect(fake.at(source)).toBeNull();
  });

  it('keeps a paused guest paused', async () => {
    fake.put(source, guest({ power: 'paused' }));
    fake.onStart = () => fake.arrive();
    await expect(migrate()).resolves.toEqual(figures);
    expect(fake.at(target)?.power).toBe('paused');
    expect(fake.calls.some((each) => each.startsWith('unpause'))).toBe(false);
  });

  it('bears hosts that are silent for a while', async () => {
    // The clock is real: a busy machine may stop between two looks for longer than the short patience of the others.
    records.deps.pace.patienceMs = 20_000;
    fake.onStart = () => void (fake.running = jobView());
    fake.onJob = (asked) => {
      if (asked === 3) for (const host of ['host1', 'host2']) fake.silent.add(host);
      if (asked === 8) {
        fake.silent.clear();
        fake.arrive();
      }
    };
    await expect(migrate()).resolves.toEqual(figures);
  });
});

describe('a migration that fails', () => {
  it('tells the client’s message when the guest stayed', async () => {
    fake.onStart = () => fake.endClient('unable to connect to server at host2:49152');
    await expect(migrate()).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: expect.stringContaining('host2:49152'),
    });
    expect(records.ended).toEqual([['mig-1', expect.objectContaining({ state: 'failed' })]]);
  });

  it('says so when a job ends that it only attached to', async () => {
    fake.running = jobView();
    fake.onJob = (asked) => void (asked > 3 && (fake.running = null));
    await expect(migrate()).rejects.toMatchObject({ code: 'MigrationFailed' });
    expect(starts()).toEqual([]);
  });

  it.each(['host1', 'host2'])('starts nothing while %s does not answer', async (silent) => {
    fake.silent.add(silent);
    await expect(migrate()).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
      message: expect.stringContaining(silent),
    });
    expect(fake.calls).toEqual([]);
    expect(records.ended).toEqual([]);
  });

  it.each([
    ['the guest runs on the source, and what came in half stays', 'running', 'migrating'],
    ['it stands still for the switch-over, of which the target knows nothing', 'migrating', null],
  ] as const)('has failed when %s', async (_title, from, to) => {
    fake.onStart = () => {
      fake.put(source, guest({ power: from }));
      if (to !== null) fake.put(target, guest({ power: to, persistent: false }));
      fake.endClient('Lost connection to destination host');
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: 'web-1 stayed on host1: Lost connection to destination host',
    });
  });

  it('has failed when the target died and the source kept the guest', async () => {
    fake.onStart = () => {
      fake.silent.add('host2');
      fake.endClient('No route to host');
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: expect.stringContaining('No route to host'),
    });
  });

  it('can’t be judged when the source stays silent, and leaves the record open', async () => {
    fake.onStart = () => {
      fake.arrive();
      fake.silent.add('host1');
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
      message: expect.stringContaining('host2: running'),
    });
    expect(records.ended).toEqual([]);
  });

  it('is lost when it is on neither host, twice', async () => {
    fake.onStart = () => {
      fake.put(source, null);
      fake.endClient('boom');
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'GuestLost',
      message: expect.stringContaining('on neither host'),
    });
  });

  it('touches nothing when it runs on both', async () => {
    fake.put(target, guest());
    await expect(migrate()).rejects.toMatchObject({
      code: 'GuestLost',
      message: expect.stringContaining('host1: running (booted); host2: running'),
    });
    expect(fake.calls).toEqual([]);
  });

  it('does not take one skewed look for two copies', async () => {
    fake.put(target, guest());
    fake.onJob = (asked) => void (asked === 2 && fake.put(source, null));
    await expect(migrate()).resolves.toEqual(figures);
  });

  it('says that the guest was shut down on the way', async () => {
    fake.onStart = () => {
      fake.put(source, guest({ power: 'shutoff' }));
      fake.endClient('domain is not running');
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'GuestLost',
      message: expect.stringContaining('shut down'),
    });
  });
});
