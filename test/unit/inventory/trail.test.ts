/** The audit trail and the tokens, on SQLite. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { createToken, findToken, revokeToken, touchToken } from '../../../activities/inventory/tokens.js';
import { appendTrail, listTrail, verifyTrail } from '../../../activities/inventory/trail.js';
import type { Caller } from '../../../client/caller.js';
import { mayAnswer, mayOperate, mayRun } from '../../../client/permissions.js';
import * as tokens from '../../../client/tokens.js';
import { recorded } from '../../../client/trail.js';
import { DroverError } from '../../../model/errors.js';
import type { FrozenRunbook } from '../../../model/runbook.js';

let folder: string;
let inventory: Inventory;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-trail-'));
  inventory = await openInventory({ path: join(folder, 'inventory.db') });
});
afterEach(async () => {
  await closeInventory(inventory);
  rmSync(folder, { recursive: true });
});

const caller = (role: Caller['identity']['role'], runbooks: string[] | null = null): Caller => ({
  cloud: 'test',
  inventory,
  identity: { name: 'ann', role, runbooks },
  via: 'api',
  temporal: () => Promise.reject(new Error('nobody asks it')),
  say: () => undefined,
});

const line = (subject: string) =>
  ({ by: 'ann', role: 'admin', via: 'cli', action: 'x.y', subject, outcome: 'done', details: {} }) as const;

test('many writers at once make one chain; what is edited, removed, moved or cut off is found', async () => {
  const other = await openInventory({ path: join(folder, 'inventory.db') });
  await Promise.all(
    Array.from({ length: 40 }, (_, at) => appendTrail(at % 2 === 0 ? inventory : other, line(String(at)))),
  );
  await closeInventory(other);
  const whole = await verifyTrail(inventory, { page: 7 });
  expect(whole).toMatchObject({ lines: 40, broken: null });
  const head = whole.head ?? '';
  await appendTrail(inventory, line('later'));
  expect(await verifyTrail(inventory, { head })).toMatchObject({ lines: 41, broken: null });

  const after = async (damage: string) => {
    await sql.raw('begin').execute(inventory.kysely);
    for (const one of damage.split(';')) await sql.raw(one).execute(inventory.kysely);
    const { broken } = await verifyTrail(inventory, { head });
    await sql.raw('rollback').execute(inventory.kysely);
    return broken?.seq;
  };
  expect(await after(`update audit_trail set "by" = 'eve' where seq = 20`)).toBe(20);
  expect(await after('delete from audit_trail where seq = 20')).toBe(21);
  expect(await after('delete from audit_trail where seq = 1')).toBe(2);
  const swap = (a: number, b: number) => `update audit_trail set seq = ${a} where seq = ${b}`;
  expect(await after([swap(99, 8), swap(8, 9), swap(9, 99)].join(';'))).toBe(8);
  expect(await after('delete from audit_trail where seq >= 40')).toBe(null);
  expect(await verifyTrail(inventory, { head })).toMatchObject({ broken: null });
});

test('a token is found by its whole secret alone, and not after its end', async () => {
  const given = { name: 'bot', role: 'automation', runbooks: ['drain'], createdBy: 'ann' } as const;
  const { token, secret } = await createToken(inventory, { ...given, runbooks: ['drain'], expiresAt: null });
  expect(await findToken(inventory, secret)).toMatchObject({ id: token.id, runbooks: ['drain'] });
  await touchToken(inventory, token);
  expect((await findToken(inventory, secret)).lastUsedAt).not.toBeNull();
  const stored = await sql<object>`select * from tokens`.execute(inventory.kysely);
  expect(JSON.stringify(stored.rows)).not.toContain(secret.slice(16));
  const wrong = [
    `${secret.slice(0, -1)}${secret.endsWith('A') ? 'E' : 'A'}`,
    secret.slice(0, -1),
    '',
    'drover_',
  ];
  const old = await createToken(inventory, {
    ...given,
    runbooks: null,
    expiresAt: '2020-01-01T00:00:00.000Z',
  });
  await expect(revokeToken(inventory, 'bot', 'ann')).rejects.toMatchObject({ code: 'Ambiguous' });
  await revokeToken(inventory, token.id, 'ann');
  for (const one of [...wrong, old.secret, secret])
    await expect(findToken(inventory, one)).rejects.toMatchObject({ code: 'Unauthenticated' });
});

test('done and refused are recorded, without what may be secret', async () => {
  const { secret } = await tokens.createToken(caller('admin'), {
    name: 'bot',
    role: 'viewer',
    runbooks: null,
    expiresInSeconds: 60,
  });
  await expect(tokens.revokeToken(caller('operator'), 'bot')).rejects.toMatchObject({
    code: 'PermissionDenied',
  });
  const details = {
    input: { userData: 'pw: hunter2', note: 'x'.repeat(500), uri: 'https://u:hunter2@h/' },
    password: 'hunter2',
  };
  await expect(
    recorded(caller('operator'), { action: 'instance.launch', subject: 'web', details }, () =>
      Promise.reject(new DroverError('NoValidHost', 'full')),
    ),
  ).rejects.toMatchObject({ code: 'NoValidHost' });
  const lines = await listTrail(inventory);
  expect(lines.map(({ action, outcome, via }) => [action, outcome, via])).toEqual([
    ['instance.launch', 'NoValidHost', 'api'],
    ['token.revoke', 'PermissionDenied', 'api'],
    ['token.create', 'done', 'api'],
  ]);
  const all = JSON.stringify(lines);
  expect(all).not.toContain('hunter2');
  expect(all).not.toContain(secret);
  expect(all.length).toBeLessThan(2500);
  expect(await listTrail(inventory, { by: 'bob' })).toEqual([]);
});

test('what each role and token may', () => {
  const plan = (run?: string[]) =>
    ({ name: 'drain', runbook: run ? { permissions: { run } } : {} }) as unknown as FrozenRunbook;
  const allows = (work: () => void) => {
    try {
      work();
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'PermissionDenied' });
      return false;
    }
  };
  const may = (role: Caller['identity']['role'], runbooks: string[] | null = null) => {
    const who = caller(role, runbooks);
    return [
      allows(() => mayOperate(who)),
      allows(() => mayAnswer(who, 'approve')),
      allows(() => mayRun(who, plan())),
      allows(() => mayRun(who, plan(['role:automation', 'bob']))),
      allows(() => mayRun(who, plan(['ann']))),
    ];
  };
  expect(may('viewer')).toEqual([false, false, false, false, false]);
  expect(may('operator')).toEqual([true, true, true, false, true]);
  expect(may('automation')).toEqual([true, false, true, true, true]);
  expect(may('automation', ['drain'])).toEqual([false, false, true, true, true]);
  expect(may('admin', ['other'])).toEqual([false, false, false, false, false]);
});
