import { expect, test } from 'vitest';
import { fromIpmi, isNoUuid, sameMachine } from '../../../activities/fencing/uuids.js';

const uuid = 'e8396659-c851-44fb-b37a-b57eda417db0';

test.each([
  ['as it is', 'E8396659-C851-44FB-B37A-B57EDA417DB0'],
  ['in the order of SMBIOS', '596639e8-51c8-fb44-b37a-b57eda417db0'],
  ['in that of IPMI', 'b07d41da-7eb5-7ab3-fb44-51c8596639e8'],
])('the same machine %s', (_, other) => {
  expect(sameMachine(other, uuid)).toBe(true);
  expect(sameMachine(uuid, other)).toBe(true);
});

test('another machine in no order', () => {
  expect(sameMachine('ab7c6629-2a77-4238-90ea-2a5cabe6c142', uuid)).toBe(false);
});

test('what ipmitool reads from the wire is the UUID', () => {
  expect(fromIpmi('b07d41da7eb57ab3fb4451c8596639e8')).toBe(uuid);
});

test('firmware that nobody gave a UUID', () => {
  expect(isNoUuid('00000000-0000-0000-0000-000000000000')).toBe(true);
  expect(isNoUuid('FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF')).toBe(true);
  expect(isNoUuid('Not Specified')).toBe(true);
  expect(isNoUuid(uuid)).toBe(false);
});
