import { beforeEach, describe, expect, it } from 'vitest';
import { clearHalves } from '../../../activities/hypervisor/clear-halves.js';
import { migrateGuest } from '../../../activities/hypervisor/migrate.js';
import { steerMigration } from '../../../activities/hypervisor/steer.js';
import { undoMigrate } from '../../../activities/hypervisor/undo-migrate.js';
import { judge } from '../../../activities/hypervisor/verdict.js';
import { DroverError } from '../../../model/errors.js';
import { defaultMovePolicy } from '../../../model/instance.js';
import { truth } from '../../../workflows/unwind.js';
import {
  FakePort,
  guest,
  id,
  jobView,
  moveInput,
  newCall,
  recording,
  source,
  target,
  type Recorded,
  type TestCall,
} from './fake-port.js';

let fake: FakePort;
let records: Recorded;
let call: TestCall;
const policy = { ...defaultMovePolicy, postCopy: true };
const migrate = (changes = {}) => migrateGuest(records.deps, moveInput({ policy, ...changes }), call);
const half = (postCopy: 'running' | 'failed') =>
  guest({ power: 'migrating', reason: postCopy === 'running' ? 'post-copy' : 'post-copy failed', postCopy });
const never = ['abort host1', 'unpause host1', 'unpause host2', 'destroy host2', 'start host1'];
const untouched = () => expect(fake.calls.filter((made) => never.includes(made))).toEqual([]);

beforeEach(() => {
  fake = new FakePort();
  fake.put(source, half('running'));
  fake.put(target, half('running'));
  fake.running = jobView({ postCopy: true });
  records = recording(fake);
  call = newCall();
});

/** All of its memory has come. */
function whole(): void {
  fake.put(source, guest());
  fake.arrive();
}

function later(looks: number, happen: () => void): void {
  let seen = 0;
  fake.onLook = () => {
    seen += 1;
    if (seen === looks) happen();
  };
}

describe('a guest in two halves', () => {
  it('is one guest, whatever the other side says', () => {
    const here = { answered: true as const, view: half('failed') };
    const silent = { answered: false as const, error: new DroverError('HypervisorUnreachable', 'x') };
    for (const other of [silent, { answered: true as const, view: null }, here]) {
      expect(judge({ source: here, target: other })).toBe('post-copy');
      expect(judge({ source: other, target: here })).toBe('post-copy');
    }
  });

  it('is followed to where it is whole; a cancel and a time limit come too late', async () => {
    later(12, whole);
    call.abort(true);
    await expect(migrate({ timeoutSeconds: 0 })).resolves.toMatchObject({ downtimeMs: 12 });
    untouched();
  });

  it('is joined again, and the definition that the source kept is removed', async () => {
    fake.put(source, half('failed'));
    fake.onSteer = (what) => {
      if (what !== 'resume-post-copy') return;
      fake.put(source, guest({ power: 'shutoff', reason: 'migrated' }));
      fake.put(target, guest({ reason: 'migrated' }));
    };
    await expect(migrate()).resolves.toMatchObject({ totalMs: 1500 });
    expect(fake.at(source)).toBeNull();
    untouched();
  });

  it('is in error when it can’t be joined, after a few tries', async () => {
    fake.put(source, half('failed'));
    fake.put(target, half('failed'));
    fake.onSteer = () => {
      throw new DroverError('HypervisorError', 'no');
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'PostCopyFailed',
      hint: expect.stringContaining('never resume it on host1'),
    });
    expect(fake.calls.filter((made) => made.startsWith('resume'))).toHaveLength(4);
    untouched();
    await expect(undoMigrate(records.deps, moveInput(), call)).resolves.toMatchObject({
      undone: false,
      patch: { host: 'host2', state: 'error' },
    });
    untouched();
  });

  it.each([
    ['target', () => fake.put(target, null)],
    ['source', () => fake.put(source, guest({ power: 'shutoff' }))],
  ])('is lost when the %s has lost its half', async (_side, lose) => {
    later(8, lose);
    await expect(migrate()).rejects.toMatchObject({ code: 'PostCopyFailed' });
    untouched();
  });

  it('is not given up by a worker that stops', async () => {
    later(6, () => call.abort(false));
    await expect(migrate()).rejects.toMatchObject({ code: 'Internal' });
    untouched();
  });

  it('is undone forwards', async () => {
    later(6, whole);
    await expect(undoMigrate(records.deps, moveInput(), call)).resolves.toMatchObject({
      undone: false,
      patch: { host: 'host2', state: 'active' },
    });
    untouched();
  });

  it('is told as an error that says what to do, and not as two guests', () => {
    const instance = { name: 'web-1', host: 'host2', state: 'active' } as Parameters<typeof truth>[0];
    const sighting = { power: 'migrating' as const, persistent: true, disks: [], job: null, error: null };
    const seen = (['host1', 'host2'] as const).map((host) => ({
      ...sighting,
      host,
      postCopy: 'failed' as const,
    }));
    expect(truth(instance, seen, 'error')).toEqual({
      patch: {
        state: 'error',
        powerState: 'migrating',
        fault: expect.stringContaining('reboot --hard web-1'),
      },
      left: [],
    });
  });

  it('is cleared: the half on the source first, and the definition stays on the target', async () => {
    const cleared = await clearHalves(records.deps, { instance: id, name: 'web-1', host: target }, call);
    expect(cleared).toEqual({ left: [], source, copied: [] });
    expect(fake.calls).toEqual(['destroy host1', 'undefine host1', 'destroy host2']);
    expect(fake.at(target)).toMatchObject({ power: 'shutoff' });
  });

  it('is cleared on the target although its source is silent, which is told', async () => {
    fake.silent.add('host1');
    const { left } = await clearHalves(records.deps, { instance: id, name: 'web-1', host: target }, call);
    expect(left).toEqual([expect.stringContaining('host1')]);
  });

  it('is never cleared where the source has it whole', async () => {
    fake.put(source, guest());
    const clear = clearHalves(records.deps, { instance: id, name: 'web-1', host: target }, call);
    await expect(clear).rejects.toMatchObject({ code: 'WrongState' });
    expect(fake.calls).toEqual([]);
  });
});

describe('a migration that somebody wants to end', () => {
  const steer = (changes = {}) =>
    steerMigration(
      records.deps,
      {
        migration: 'mig-1',
        instance: id,
        name: 'web-1',
        source,
        way: 'downtime',
        downtimeMs: null,
        liftCap: false,
        by: 'ada',
        ...changes,
      },
      call,
    );
  beforeEach(() => {
    fake.put(source, guest());
    fake.put(target, null);
    fake.running = jobView({ remainingBytes: 30, memoryBytesPerSecond: 10, expectedDowntimeMs: 900 });
  });

  it('gets twice the downtime that the rest takes; what was done and by whom is written down', async () => {
    await steer({ liftCap: true });
    expect(fake.calls).toEqual(['bandwidth null host1', 'downtime 6000 host1']);
    expect(records.ladder).toMatchObject([
      { rung: 'bandwidth', by: 'ada' },
      { rung: 'downtime', by: 'ada', says: 'downtime up to 6000 ms' },
    ]);
  });

  it('is refused where nothing is copied, or it is past its switch-over', async () => {
    for (const job of [null, jobView({ migrates: false }), jobView({ postCopy: true })]) {
      fake.running = job;
      await expect(steer({ way: 'pause' })).rejects.toMatchObject({ code: 'WrongState' });
    }
    expect(fake.calls).toEqual([]);
  });

  it('is not given up while a person has it paused', async () => {
    fake.put(source, guest());
    const slow = { ...defaultMovePolicy };
    let asked = 0;
    fake.onStart = () => void (fake.running = jobView({ iteration: 1 }));
    fake.running = null;
    fake.onJob = () => {
      asked += 1;
      if (fake.running !== null)
        fake.running = jobView({ iteration: Math.min(asked, 5), remainingBytes: 75 });
      // Before the time without progress can be over, however busy the machine is.
      if (asked === 1)
        records.ladder.push({ at: new Date().toISOString(), rung: 'pause', says: 'paused', by: 'ada' });
      if (asked === 60) fake.arrive();
    };
    await expect(migrate({ policy: slow, noProgressSeconds: 0.03 })).resolves.toMatchObject({
      downtimeMs: 12,
    });
    expect(fake.calls).not.toContain('abort host1');
  });
});
