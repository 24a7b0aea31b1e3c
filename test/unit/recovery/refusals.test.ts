import { expect, test } from 'vitest';
import { recoveryRefusal } from '../../../activities/recovery/refusals.js';
import { hostNamed } from '../inventory/placement/hosts.js';

const armed = { mode: 'armed', says: 'armed' } as const;
const of = (more: Parameters<typeof hostNamed>[1], mode: Parameters<typeof recoveryRefusal>[1] = armed) =>
  recoveryRefusal({ ...hostNamed('kvm-1', more), instances: 3 }, mode);

test('an ordinary host may be looked into, also in dry and manual mode', () => {
  expect(of({})).toBeUndefined();
  expect(of({}, { mode: 'dry', says: '' })).toBeUndefined();
  expect(of({}, { mode: 'manual', says: '' })).toBeUndefined();
});

test('each refusal has the rule, what was seen, and what to do', () => {
  const maintenance = { until: '2026-11-01T13:00:00.000Z', by: 'bob', reason: 'new fans', run: null };
  const told = [
    of({ controlPlane: true, maintenance }, { mode: 'disarmed', says: 'x' }),
    of({ zone: 'z1' }, { mode: 'disarmed', says: 'zone z1 is disarmed by ann at 12:00: move' }),
    of({ maintenance }),
  ].map((error) => [error?.code, error?.details['rule'], error?.message, error?.hint]);
  expect(told).toMatchInlineSnapshot(`
    [
      [
        "RecoveryHeld",
        "control-plane",
        "kvm-1 is a host of the control plane, which is never fenced: drover might cut off itself",
        "bring it back by hand; if nothing of drover runs on it: \`drover host set kvm-1 --no-control-plane\`",
      ],
      [
        "RecoveryHeld",
        "disarmed",
        "recovery is disarmed: zone z1 is disarmed by ann at 12:00: move",
        "turn it on again with \`drover recovery arm [--zone z1]\`",
      ],
      [
        "RecoveryHeld",
        "maintenance",
        "kvm-1 is in maintenance until 2026-11-01T13:00:00.000Z by bob (new fans): it may be silent",
        "wait, or if the work is over: \`drover host end-maintenance kvm-1\`",
      ],
    ]
  `);
});
