import { expect, test } from 'vitest';
import { describeResult } from '../../../cli/texts.js';
import { defaultMovePolicy } from '../../../model/instance.js';

test.each([
  [
    { from: 'h1', to: 'h2', storage: 'block', downtimeMs: 43, totalMs: null, transferredBytes: 3_145_728 },
    'h1 -> h2, block storage, downtime 43 ms, 3.0 MiB copied',
  ],
  [
    {
      flavor: 'big',
      vcpus: 4,
      memoryMiB: 8192,
      host: 'h1',
      offMs: 2079,
      grew: false,
      confirmsAt: '2026-11-24T00:00:00Z',
    },
    'flavor big, 4 vCPUs, 8192 MiB, on h1, off for 2.1s, confirms itself at 2026-11-24T00:00:00Z',
  ],
  [
    { incident: 'i', host: 'h1', state: 'recovered', says: 'h1 is recovered: 2 evacuated' },
    'h1 is recovered: 2 evacuated',
  ],
  [{ kind: 'resize', removed: [], left: 'h1' }, 'kind resize, the old place on h1 is free'],
  [
    {
      movePolicy: { ...defaultMovePolicy, postCopy: true, pauseMs: 2000 },
      restartPolicy: 'on-crash',
      haPolicy: '1',
    },
    'moves: downtime at most 500 ms, allows post-copy, pause=2000ms, restart: on-crash, ha: 1',
  ],
])('%o is told in words', (result, words) => {
  expect(describeResult(result)).toBe(words);
});
