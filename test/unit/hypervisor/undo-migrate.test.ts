import { beforeEach, describe, expect, it } from 'vitest';
import { undoMigrate } from '../../../activities/hypervisor/undo-migrate.js';
import {
  FakePort,
  guest,
  jobView,
  moveInput,
  newCall,
  recording,
  source,
  target,
  type Recorded,
} from './fake-port.js';

let fake: FakePort;
let records: Recorded;
const undo = (changes = {}) => undoMigrate(records.deps, moveInput(changes), newCall(6));

beforeEach(() => {
  fake = new FakePort();
  fake.put(source, guest());
  records = recording(fake);
});

describe('undoing a migration', () => {
  it('does nothing where nothing happened, however often', async () => {
    await expect(undo()).resolves.toEqual({ undone: true });
    await expect(undo()).resolves.toEqual({ undone: true });
    expect(new Set(fake.calls)).toEqual(new Set(['stamp host1']));
  });

  it('aborts a running job and waits for the target to clean up by itself', async () => {
    fake.running = jobView();
    fake.put(target, guest({ power: 'migrating', persistent: false }));
    fake.onAbort = () => {
      fake.running = null;
      setTimeout(() => fake.put(target, null), 8);
    };
    await expect(undo()).resolves.toEqual({ undone: true });
    expect(fake.calls).not.toContain('destroy host2');
    expect(fake.at(source)?.stamp?.epoch).toBe(6);
  });

  it('leaves a job alone that is none of its own', async () => {
    fake.running = jobView({ operation: 'backup', migrates: false });
    await expect(undo({ patienceSeconds: 60 })).resolves.toEqual({ undone: true });
    expect(fake.calls).toEqual(['stamp host1']);
  });

  it('removes an incoming guest that stays although no job moves it', async () => {
    fake.put(target, guest({ power: 'migrating', persistent: false }));
    await expect(undo()).resolves.toEqual({ undone: true });
    expect(fake.calls).toContain('destroy host2');
    expect(fake.at(source)?.power).toBe('running');
  });

  it('removes a stale definition from the target', async () => {
    fake.put(target, guest({ power: 'shutoff' }));
    await expect(undo()).resolves.toEqual({ undone: true });
    expect(fake.at(target)).toBeNull();
  });

  it('says that the guest has arrived, with the clean-up of the source', async () => {
    fake.arrive();
    await expect(undo()).resolves.toEqual({
      undone: false,
      patch: { host: 'host2', state: 'active', powerState: 'running' },
      cleanup: moveInput().cleanup,
    });
    expect(fake.calls).toEqual([]);
    expect(records.ended).toEqual([
      ['mig-1', expect.objectContaining({ state: 'completed', downtimeMs: 12 })],
    ]);
  });

  it('removes the definition that a killed source kept of a guest that arrived', async () => {
    fake.put(source, guest({ power: 'shutoff' }));
    fake.put(target, guest());
    await expect(undo()).resolves.toMatchObject({ undone: false, patch: { host: 'host2' } });
    expect(fake.at(source)).toBeNull();
    expect(fake.at(target)?.power).toBe('running');
  });

  it('finds out that it arrived although it tried to abort it', async () => {
    fake.running = jobView();
    fake.onAbort = () => fake.arrive();
    await expect(undo()).resolves.toMatchObject({ undone: false, patch: { host: 'host2' } });
  });

  it('lets a job end by itself when it is told to be patient', async () => {
    fake.running = jobView();
    fake.onJob = (asked) => void (asked > 5 && fake.arrive());
    await expect(undo({ patienceSeconds: 1 })).resolves.toMatchObject({ undone: false });
    expect(fake.calls).not.toContain('abort host1');
  });

  it('keeps the only definition of a guest that moved and was shut down', async () => {
    fake.put(source, null);
    fake.put(target, guest({ power: 'shutoff' }));
    await expect(undo()).resolves.toMatchObject({
      undone: false,
      patch: { host: 'host2', state: 'stopped' },
    });
    expect(fake.at(target)).not.toBeNull();
  });

  it('touches nothing that runs while the source is silent', async () => {
    fake.put(target, guest());
    fake.silent.add('host1');
    await expect(undo()).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
    expect(fake.calls).toEqual([]);
  });

  it('needs the target to answer', async () => {
    fake.silent.add('host2');
    await expect(undo()).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
  });

  it('is done when the source died and the target shows nothing of the guest', async () => {
    fake.silent.add('host1');
    await expect(undo()).resolves.toEqual({ undone: true });
  });

  it('touches nothing when it runs on both', async () => {
    fake.put(target, guest());
    await expect(undo()).rejects.toMatchObject({ code: 'GuestLost' });
    expect(fake.calls).toEqual([]);
  });

  it('lets a guest go on that its source stopped for a switch-over that never came', async () => {
    fake.put(source, guest({ power: 'migrating', reason: 'migrating' }));
    await expect(undo()).resolves.toEqual({ undone: true });
    expect(fake.at(source)?.power).toBe('running');
  });

  it('refuses to abort the job of a newer operation', async () => {
    fake.put(source, guest({ stamp: { instance: 'x', operation: 'op-9', epoch: 9 } }));
    fake.running = jobView();
    await expect(undo()).rejects.toMatchObject({ code: 'StaleOwner' });
    expect(fake.calls).toEqual([]);
  });
});
