import { expect, test } from 'vitest';
import { defaultMovePolicy } from '../../../model/instance.js';
import { setPolicy } from '../../../workflows/instance/set-policy.js';
import { policyPatch } from '../../../workflows/instance/policies.js';

const patch = (given: object, before = null as Parameters<typeof policyPatch>[0]) =>
  policyPatch(before, { allow: [], forbid: [], ...given });

test('what is not said stays as it was', () => {
  expect(patch({})).toEqual({});
  expect(patch({ restart: 'always' })).toEqual({ restartPolicy: 'always' });
  expect(patch({ ha: '1' })).toEqual({ haPolicy: '1' });
  const before = { ...defaultMovePolicy, postCopy: true, downtimeMs: 700 };
  expect(patch({ allow: ['cold'] }, before)).toEqual({ movePolicy: { ...before, cold: 'allow' } });
});

test('rungs by commas or one by one, with times in ms or s', () => {
  const given = { max_downtime: '2s', allow: ['auto-converge,pause=1500ms', 'post-copy'] };
  expect(patch(given).movePolicy).toEqual({
    downtimeMs: 2000,
    autoConverge: true,
    postCopy: true,
    pauseMs: 1500,
    cold: 'never',
  });
  const all = { downtimeMs: 2000, autoConverge: true, postCopy: true, pauseMs: 1500, cold: 'allow' as const };
  expect(patch({ forbid: ['auto-converge, post-copy', 'pause,cold'] }, all).movePolicy).toEqual({
    ...defaultMovePolicy,
    downtimeMs: 2000,
  });
});

const refused = (given: object): string =>
  setPolicy.input
    .safeParse({ instance: 'web-1', ...given })
    .error?.issues.map(({ message }) => message)
    .join() ?? '';

test.each([
  [{}, 'needs a policy'],
  [{ ha: '6' }, 'Invalid option'],
  [{ allow: ['warp'] }, 'knows no "warp"'],
  [{ allow: ['cold=3'] }, 'knows no "cold=3"'],
  [{ allow: ['pause'] }, 'pause needs a time'],
  [{ allow: ['pause=soon'] }, 'pause needs a time'],
  [{ allow: ['cold'], forbid: ['cold'] }, 'both allowed and forbidden'],
  [{ max_downtime: '1ms' }, 'Too small'],
  [{ max_downtime: '5 minutes' }, 'must be a length of time'],
])('%j is refused before anything begins', (given, why) => {
  expect(refused(given)).toContain(why);
});
