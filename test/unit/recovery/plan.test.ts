import { expect, test } from 'vitest';
import { inOrder } from '../../../activities/recovery/plan.js';
import type { HaPolicy } from '../../../model/incident.js';

const row = (
  name: string,
  ha_policy: HaPolicy,
  more: Partial<Parameters<typeof inOrder>[0][number]> = {},
) => ({
  id: `id-${name}`,
  name,
  ha_policy,
  state: 'active' as const,
  server_group: null,
  locked: 0,
  locked_by: null,
  lock_reason: null,
  ...more,
});
const names = (...rows: ReturnType<typeof row>[]) => inOrder(rows).map(({ name }) => name);

test('by priority, then by name, best effort after all priorities, and never at the end', () => {
  const rows = [
    row('n', 'never'),
    row('e', 'best-effort'),
    row('b', '3'),
    row('z', '1'),
    row('a', '3'),
    row('f', '5'),
  ];
  expect(names(...rows)).toEqual(['z', 'a', 'b', 'f', 'e', 'n']);
});

test('a group comes together, when the first of its members does', () => {
  const web = { server_group: 'web' };
  const rows = [
    row('a', '2'),
    row('w2', '4', web),
    row('m', '3'),
    row('w1', '1', web),
    row('w3', 'never', web),
  ];
  expect(names(...rows)).toEqual(['w1', 'w2', 'a', 'm', 'w3']);
});

test('never is skipped and told; what is locked is evacuated and told', () => {
  const locked = { locked: 1, locked_by: 'ann', lock_reason: 'audit' };
  const [one, two] = inOrder([row('a', '1', locked), row('b', 'never', locked)]);
  expect(one).toMatchObject({
    skip: null,
    tell: 'locked by ann: audit; evacuated all the same, since that rescues it',
  });
  expect(two).toMatchObject({ tell: null });
  expect(two?.skip).toContain('its HA policy is never');
});
