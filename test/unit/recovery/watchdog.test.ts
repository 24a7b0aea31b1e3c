import { expect, test } from 'vitest';
import { runOut } from '../../../activities/recovery/watchdog.js';

const silentSince = Date.UTC(2026, 10, 1, 12);
const armed = (more: object = {}) =>
  JSON.stringify({
    kind: 'watchdog',
    seconds: 60,
    says: 'iTCO_wdt, 60 s',
    at: '2026-11-01T11:59:00.000Z',
    ...more,
  });
const after = (seconds: number, stored: string | null = armed()) =>
  runOut('kvm-1', stored, { silentSince, now: silentSince + seconds * 1000, marginSeconds: 10 });

test('it counts to the millisecond when its time and the margin are over, not before', () => {
  expect(after(69.999)).toMatchObject({ evidence: null, inSeconds: 1 });
  expect(after(0)).toMatchObject({ evidence: null, inSeconds: 70 });
  expect(after(70)).toMatchObject({
    inSeconds: 0,
    evidence: {
      kind: 'watchdog',
      verified: false,
      by: null,
      says: 'its watchdog has run out (iTCO_wdt, 60 s; silent since 2026-11-01T12:00:00.000Z, 60 s and 10 s of margin)',
    },
  });
});

test('what was recorded after the host went silent is never evidence, however late it is', () => {
  const late = armed({ at: '2026-11-01T12:00:00.001Z' });
  expect(after(86_400, late)).toMatchObject({ evidence: null, inSeconds: null });
  expect(after(86_400, late).says).toContain('after kvm-1 had gone silent: that does not count');
});

test.each([
  ['nothing', null],
  ['no time', armed({ seconds: 0 })],
  ['something else', armed({ kind: 'hope' })],
  ['no date', armed({ at: 'yesterday' })],
])('%s is no evidence', (_, stored) => {
  expect(after(86_400, stored)).toMatchObject({ evidence: null, inSeconds: null });
});

test('nor is it where nobody knows since when the host is silent', () => {
  expect(
    runOut('kvm-1', armed(), { silentSince: Number.NaN, now: silentSince, marginSeconds: 10 }),
  ).toMatchObject({
    evidence: null,
    inSeconds: null,
  });
});
