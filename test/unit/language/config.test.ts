import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toldPlace } from '../../../model/inventory.js';
import { configJsonSchema, loadConfig } from '../../../config/config.js';
import { defaultRecoveryRules } from '../../../model/recovery.js';

const base = mkdtempSync(join(tmpdir(), 'drover-config-'));
const folder = join(base, 'etc');
mkdirSync(folder);
const file = join(folder, 'drover.yaml');
const env = { SUDO_USER: 'ada' };

const load = (text: string, more: { dataDir?: string } = {}) => {
  writeFileSync(file, text);
  return loadConfig({ file, cwd: base, env, ...more });
};

describe('configuration', () => {
  test('without a file the defaults do', async () => {
    expect(await loadConfig({ cwd: base, env })).toEqual({
      cloud: 'local',
      data: join(base, '.drover'),
      inventory: { path: join(base, '.drover/inventory.db') },
      identity: { name: 'ada', role: 'admin' },
      placement: { strategy: 'spread' },
      gateway: { address: '127.0.0.1', port: 8480, tls: null, insecure: false, uiOrigins: [] },
      notifications: [],
      fencing: { hosts: {}, checkEverySeconds: 600, countSelfFence: false },
      recovery: defaultRecoveryRules,
      runbooks: [],
      auditEverySeconds: 3600,
      encryption: { keys: [] },
    });
  });

  test('audits are made as often as it is said, or never', async () => {
    expect((await load('audit: { every: 10m }\n')).auditEverySeconds).toBe(600);
    expect((await load('audit: { every: never }\n')).auditEverySeconds).toBeNull();
  });

  test('paths begin at the folder of the file', async () => {
    const config = await load(
      'cloud: lab\ndata: ../state\nrunbooks: [books, /srv/books]\nidentity: { role: viewer }\n',
    );
    expect(config).toMatchObject({
      file,
      cloud: 'lab',
      data: join(base, 'state'),
      inventory: { path: join(base, 'state/inventory.db') },
      identity: { name: 'ada', role: 'viewer' },
      runbooks: [join(folder, 'books'), '/srv/books'],
    });
  });

  test('--data comes before the file, and the inventory follows it unless it has a place of its own', async () => {
    expect(await load('data: a\n', { dataDir: 'b' })).toMatchObject({
      data: join(base, 'b'),
      inventory: { path: join(base, 'b/inventory.db') },
    });
    const { inventory } = await load('inventory: { sqlite: x.db }\n', { dataDir: 'b' });
    expect(inventory).toEqual({ path: join(folder, 'x.db') });
  });

  test('a file of comments is all defaults', async () => {
    expect(await load('# nothing yet\n\n')).toMatchObject({ cloud: 'local' });
  });

  test('found in the working folder and by DROVER_CONFIG', async () => {
    await load('cloud: found\n');
    expect(await loadConfig({ cwd: folder, env })).toMatchObject({ file, cloud: 'found' });
    expect(await loadConfig({ cwd: base, env: { DROVER_CONFIG: 'etc/drover.yaml' } })).toMatchObject({
      cloud: 'found',
    });
  });

  test('a file that was named must be there', async () => {
    await expect(loadConfig({ file: 'nothing.yaml', cwd: base })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(loadConfig({ cwd: base, env: { DROVER_CONFIG: 'nothing.yaml' } })).rejects.toMatchObject({
      hint: expect.stringContaining('DROVER_CONFIG'),
    });
  });

  test('mistakes are told with their places', async () => {
    const text = 'clouds: lab\nidentity:\n  role: root\ndata: 5\ninventory: { postgre: x }\n';
    await expect(load(text)).rejects.toMatchObject({
      code: 'InvalidConfig',
      message: [
        `${file}:1:1: clouds: unknown key — did you mean "cloud"?`,
        `${file}:3:9: identity.role: must be one of viewer, operator, admin, not "root"`,
        `${file}:4:7: data: must be a string, not 5 — put it in quotes: '5'`,
        `${file}:5:14: inventory.postgre: unknown key — did you mean "postgres"?`,
      ].join('\n'),
    });
  });

  test('PostgreSQL is named by a URL, which is not to hold a password', async () => {
    const url = 'postgresql://drover@db.example:5432/drover?sslmode=verify-full';
    const { inventory } = await load(`inventory:\n  postgres: ${url}\n`, { dataDir: 'b' });
    expect(inventory).toEqual({ url });
    expect(toldPlace(inventory)).toBe('postgresql://drover@db.example:5432/drover');
    expect(toldPlace({ url: 'postgresql://u:secret@h/d?password=secret' })).toBe('postgresql://u@h/d');
    const wrong = [
      ['postgresql://u:secret@h/d', 'must not hold a password'],
      ['postgresql://u@h/d?password=secret', 'must not hold a password'],
      ['mysql://u@h/d', 'must be a URL of PostgreSQL'],
      ['postgresql://u@h:port/d', 'must be a URL of PostgreSQL'],
      ['postgresql://u@h', 'must name a database'],
      [
        'postgresql://u@h/d?sslmode=prefer',
        'sslmode must be one of disable, require, verify-ca, verify-full',
      ],
      ['postgresql://u@h/d?sslmode=verify-ca', 'sslmode=verify-ca needs sslrootcert=FILE'],
    ] as const;
    for (const [text, told] of wrong) {
      const error = await load(`inventory:\n  postgres: ${text}\n`).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: 'InvalidConfig',
        message: expect.stringContaining(`:2:13: inventory.postgres: ${told}`),
      });
      expect(String(error)).not.toContain('secret');
    }
    await expect(load(`inventory:\n  sqlite: x.db\n  postgres: ${url}\n`)).rejects.toMatchObject({
      message: expect.stringContaining(
        ':3:3: inventory.postgres: must be one of sqlite and postgres, not both',
      ),
    });
  });

  test('the schema for editors explains each key', () => {
    expect(JSON.stringify(configJsonSchema())).toContain('Who you are for drover.');
  });
});
