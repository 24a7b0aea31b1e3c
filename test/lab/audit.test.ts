import { execa } from 'execa';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditRecord, Finding } from '../../model/audit.js';
import { assertAllocations, assertOneGuest, openWorld, type World } from './world.js';

const shared = '/srv/shared';
const saves = '/var/lib/libvirt/qemu/save';

/** All the mess at once, as it is found in a datacenter that people work in by hand. */
describe('an audit of real hosts', () => {
  let world: World;
  let gone: string;
  beforeAll(async () => {
    world = await openWorld(2);
    await world.guests(
      { name: 'web', host: 'host1', disk: 'shared' },
      { name: 'mover', host: 'host1', disk: 'shared' },
      { name: 'own', host: 'host2', disk: 'local' },
      { name: 'gone', host: 'host2', disk: 'local' },
    );
    gone = (await world.json<{ id: string }>('instance', 'show', 'gone')).id;
    await world.ok('instance', 'terminate', 'gone', '--yes');
  });
  afterAll(() => world?.close());

  const virsh = async (host: string, ...args: string[]): Promise<string> =>
    (await execa('virsh', ['-c', await world.lab.uri(host), ...args])).stdout;
  const inHost = (host: string, script: string): Promise<string> =>
    world.lab.exec(host, ['sh', '-c', script]);
  const kinds = (findings: readonly Finding[]): string[] =>
    findings.map(({ kind, name, host }) => `${kind} ${name} ${host}`);

  /** Exit code 1 where something is left. */
  async function audit(...options: string[]): Promise<Finding[]> {
    const said = await world.drover('audit', 'inventory', ...options, '-o', 'json');
    const findings = JSON.parse(said.out) as Finding[];
    expect(said.code, said.err).toBe(findings.length === 0 ? 0 : 1);
    return findings;
  }

  test('hosts in order: nothing is found, and every file was looked at', async () => {
    expect(kinds(await audit())).toEqual([]);
    const { scope } = await world.json<AuditRecord>('audit', 'show');
    expect(scope).toMatchObject({ hosts: 2, instances: 3, silent: [], withoutWorker: [], skipped: [] });
  });

  test('what was done by hand is found, each thing once', async () => {
    await world.lab.createGuest({ name: 'stray', host: 'host2', disk: 'local' });
    await leaveDefinition('web', 'host1', 'host2');
    const ways = ['--live', '--persistent', '--undefinesource', '--unsafe'];
    await virsh('host1', 'migrate', ...ways, 'mover', await world.lab.uri('host2'));
    await virsh('host2', 'autostart', 'own');
    await inHost('host2', `mkdir -p ${saves} && echo memory > ${saves}/web.save`);
    await inHost('host1', `echo disk > ${shared}/${gone}.qcow2`);
    expect(kinds(await audit())).toEqual([
      'unknown-guest stray host2',
      'wrong-host mover host2',
      'definition-elsewhere web host2',
      'stale-save-file web host2',
      'orphan-disk gone host1',
      'autostart own host2',
    ]);
  });

  test('it is repaired, and nobody notices: the guests count on, and the next audit is clean', async () => {
    // What needs a decision is left without one.
    const left = kinds(await audit('--repair'));
    const { repaired } = await world.json<AuditRecord>('audit', 'show');
    expect(repaired.filter(({ error }) => error !== null)).toEqual([]);
    expect(left).toEqual(['unknown-guest stray host2', 'orphan-disk gone host1']);
    expect(kinds(await audit('--adopt', '--remove-orphan-disks', '--yes'))).toEqual([]);
    expect(await virsh('host2', 'list', '--all', '--name')).not.toContain('web');
    expect(await virsh('host2', 'list', '--all', '--autostart', '--name')).not.toContain('own');
    expect(await inHost('host2', `ls ${saves}`)).not.toContain('web');
    expect(await inHost('host1', `ls ${shared}`)).not.toContain(gone);
    const at = { web: 'host1', mover: 'host2', own: 'host2', stray: 'host2' };
    for (const [name, host] of Object.entries(at)) {
      expect(await world.instance(name)).toMatchObject({ state: 'active', host });
      await world.judge.assertUnbroken(name);
      await assertOneGuest(world, name, host);
    }
    await assertAllocations(world);
    expect(kinds(await audit())).toEqual([]);
  });

  /** As a migration by hand without --undefinesource leaves it. */
  async function leaveDefinition(name: string, from: string, to: string): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), 'drover-audit-'));
    try {
      writeFileSync(join(dir, 'domain.xml'), await virsh(from, 'dumpxml', name, '--inactive'));
      await virsh(to, 'define', join(dir, 'domain.xml'));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
});
