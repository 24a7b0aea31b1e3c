/** A guest on host1, new for each test, that is about to be moved to host2. */
import { beforeEach } from 'vitest';
import { migrateGuest } from '../../../activities/hypervisor/migrate.js';
import {
  FakePort,
  guest,
  moveInput,
  newCall,
  recording,
  source,
  type Recorded,
  type TestCall,
} from './fake-port.js';

export let fake: FakePort;
export let records: Recorded;
export let call: TestCall;

beforeEach(() => {
  fake = new FakePort();
  fake.put(source, guest());
  records = recording(fake);
  call = newCall();
});

export const figures = { totalMs: 1500, downtimeMs: 12, transferredBytes: 1000 };
export const starts = () => fake.calls.filter((each) => each.startsWith('migrate'));
/** The next attempt of the same activity. */
export const attemptAgain = (): void => {
  call = newCall();
};
export const migrate = (changes = {}) => migrateGuest(records.deps, moveInput(changes), call);
