/** A cloud in virtual time: real operations, whose course can be read. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualCloud } from '../../../virtual/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open();
});
afterEach(() => cloud.close());

test('an operation takes virtual time, and its course is told in names', async () => {
  const instance = await cloud.adopt('web-1');
  expect(await cloud.operation('instance.live-migrate', { instance }).ending).toMatchObject({
    end: 'done',
    result: { from: 'host-1', to: 'host-2', storage: 'shared' },
  });
  expect(cloud.log.text()).toMatchInlineSnapshot(`
    "   1     +0.0s instance.live-migrate web-1: starts
       2     +0.0s instance.live-migrate web-1: phase admission
       3     +0.0s instance.live-migrate web-1: call beginOperation
       4     +0.0s instance.live-migrate web-1: call getHost
       5     +0.0s instance.live-migrate web-1: phase placing
       6     +0.0s instance.live-migrate web-1: call claimHost
       7     +0.0s instance.live-migrate web-1: phase probing
       8     +0.0s instance.live-migrate web-1: call admit
       9     +0.0s instance.live-migrate web-1: call writeProbe on host-1
      10     +0.0s instance.live-migrate web-1: call readProbe on host-2
      11     +0.0s instance.live-migrate web-1: call removeProbe on host-1
      12     +0.0s instance.live-migrate web-1: phase moving
      13     +0.0s instance.live-migrate web-1: call migrateGuest
      14     +1.1s instance.live-migrate web-1: call commit
      15     +1.1s instance.live-migrate web-1: call finishOperation
      16     +1.1s instance.live-migrate web-1: instance web-1: migrating -> active (live-migrate)
      17     +1.1s instance.live-migrate web-1: ends done
    "
  `);
});

test('one operation at a time has an instance', async () => {
  const instance = await cloud.adopt('web-1');
  const { ending } = cloud.operation('instance.live-migrate', { instance });
  expect(() => cloud.operation('instance.stop', { instance })).toThrow(/busy/);
  expect(await ending).toMatchObject({ end: 'done' });
  expect(await cloud.operation('instance.stop', { instance }).ending).toMatchObject({ end: 'done' });
});
