/** Saving memory is followed and found again; only a cancel that somebody asked for ends it. */
import { beforeEach, expect, test } from 'vitest';
import { restoreGuest, saveGuest, undoSave } from '../../../activities/hypervisor/save.js';
import { FakePort, guest, id, jobView, newCall, recording, source } from './fake-port.js';

let fake: FakePort;
const input = { instance: id, name: 'web-1', host: source };
const saving = jobView({ operation: 'save', migrates: false });
const saved = guest({ power: 'shutoff', reason: 'saved', managedSave: true });
const changes = () => fake.calls.filter((call) => !call.startsWith('stamp'));

beforeEach(() => {
  fake = new FakePort();
  fake.put(source, guest());
});

test('saves a guest; one that is saved already is left alone', async () => {
  const { deps } = recording(fake);
  await saveGuest(deps, input, newCall());
  expect(fake.at(source)).toMatchObject({ power: 'shutoff', managedSave: true });
  await saveGuest(deps, input, newCall());
  expect(changes()).toEqual(['save host1']);
});

test('follows a save that an attempt before it began', async () => {
  fake.put(source, guest({ power: 'paused', reason: 'saving' }));
  fake.running = saving;
  fake.onJob = (asked) => {
    if (asked < 4) return;
    fake.running = null;
    fake.put(source, saved);
  };
  await saveGuest(recording(fake).deps, input, newCall());
  expect(changes()).toEqual([]);
});

test('a deploy leaves the save alone, a cancel ends it', async () => {
  fake.put(source, guest({ power: 'paused', reason: 'saving' }));
  fake.running = saving;
  const { deps } = recording(fake);
  const deployed = newCall();
  deployed.abort(false);
  await expect(saveGuest(deps, input, deployed)).rejects.toMatchObject({ code: 'Internal' });
  expect(changes()).toEqual([]);
  const cancelled = newCall();
  cancelled.abort(true);
  await expect(saveGuest(deps, input, cancelled)).rejects.toMatchObject({ code: 'Cancelled' });
  expect(changes()).toEqual(['abort host1']);
});

test('a guest that is off without memory, or has another job, is not saved', async () => {
  const { deps } = recording(fake);
  fake.put(source, guest({ power: 'shutoff', reason: 'crashed' }));
  await expect(saveGuest(deps, input, newCall())).rejects.toMatchObject({ code: 'HypervisorError' });
  fake.put(source, guest());
  fake.running = jobView({ operation: 'backup', migrates: false });
  await expect(saveGuest(deps, input, newCall())).rejects.toMatchObject({ code: 'WrongState' });
});

test('restores, and says when the memory could not be read', async () => {
  const { deps } = recording(fake);
  fake.put(source, saved);
  await expect(restoreGuest(deps, input, newCall())).resolves.toEqual({ memory: 'kept' });
  expect(fake.at(source)?.stamp).toMatchObject({ operation: 'op-1' });
  fake.put(source, guest({ reason: 'booted' }));
  await expect(restoreGuest(deps, input, newCall())).resolves.toEqual({ memory: 'lost' });
  fake.put(source, guest({ power: 'shutoff' }));
  await expect(restoreGuest(deps, input, newCall())).rejects.toMatchObject({ code: 'StaleSavedState' });
});

test('a save is taken back whether it was done, goes on, or never began', async () => {
  const { deps } = recording(fake);
  fake.put(source, saved);
  await expect(undoSave(deps, input, newCall())).resolves.toEqual({ undone: true });
  expect(changes()).toEqual(['restore host1']);
  fake.running = saving;
  await undoSave(deps, input, newCall());
  fake.put(source, guest({ power: 'shutoff' }));
  await undoSave(deps, input, newCall());
  expect(changes()).toEqual(['restore host1', 'abort host1']);
});
