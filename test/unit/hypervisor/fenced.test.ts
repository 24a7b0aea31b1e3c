import { describe, expect, it } from 'vitest';
import { fencedHypervisor } from '../../../activities/hypervisor/fenced.js';
import { look } from '../../../activities/hypervisor/look.js';
import type { Hypervisor } from '../../../activities/hypervisor/port.js';
import { undoMigrate } from '../../../activities/hypervisor/undo-migrate.js';
import type { Fence } from '../../../model/incident.js';
import { FakePort, guest, id, jobView, moveInput, newCall, recording, source, target } from './fake-port.js';

const evidence = {
  kind: 'attested' as const,
  at: '',
  says: 'off',
  device: null,
  verified: false,
  by: 'ada',
};
const fence: Fence = { incident: 'i-1', at: '2026-01-01T00:00:00Z', evidence, state: 'held' };

function fenced(port: FakePort, ...names: string[]): Hypervisor {
  return fencedHypervisor(port.port(), async (host) => (names.includes(host) ? fence : null));
}

describe('a host that is fenced', () => {
  it('is called by no method of the port; another one is', async () => {
    const port = new FakePort();
    port.put(source, guest());
    const hypervisor = fenced(port, source.name);
    const methods = Object.entries(hypervisor).filter(
      ([name, member]) => typeof member === 'function' && name !== 'consoleCommand',
    );
    expect(methods.length).toBeGreaterThan(25);
    const move = { id, name: 'web-1', source, target, copy: [], bandwidthMiBs: null };
    for (const [name, method] of methods) {
      const first = ['startMigration', 'resumePostCopy'].includes(name) ? move : source;
      const call = (method as (...all: unknown[]) => Promise<unknown>)(first, id, guest());
      await expect(call, name).rejects.toMatchObject({ code: 'HostFenced', retryable: false });
    }
    await expect(hypervisor.copyDefinition(target, source, id)).rejects.toMatchObject({ code: 'HostFenced' });
    expect(port.calls).toEqual([]);
    expect(await hypervisor.look(target, id)).toBeNull();
  });

  it('is told as one on which it certainly does not run', async () => {
    const port = new FakePort();
    port.put(target, guest());
    const deps = { ...recording(port).deps, hypervisor: fenced(port, source.name) };
    const { sightings } = await look(deps, { instance: id, hosts: [source, target] });
    expect(sightings).toMatchObject([
      { host: source.name, power: 'absent', fenced: true },
      { host: target.name, power: 'running' },
    ]);
  });
});

describe('a migration with one side fenced', () => {
  const undo = (port: FakePort, lost: string) =>
    undoMigrate({ ...recording(port).deps, hypervisor: fenced(port, lost) }, moveInput(), newCall());

  it('from it: what arrived is on its target', async () => {
    const port = new FakePort();
    port.put(target, guest());
    expect(await undo(port, source.name)).toMatchObject({ undone: false, patch: { host: target.name } });
    expect(port.at(target)?.power).toBe('running');
  });

  it('from it: half a memory is ended on its target', async () => {
    const port = new FakePort();
    port.put(target, guest({ power: 'migrating', reason: 'migrating', persistent: false }));
    expect(await undo(port, source.name)).toEqual({ undone: true });
    expect(port.at(target)).toBeNull();
  });

  it('from it: what is nowhere else was there', async () => {
    expect(await undo(new FakePort(), source.name)).toEqual({ undone: true });
  });

  it('to it: it goes on on its source, and is paused there no longer', async () => {
    const port = new FakePort();
    port.put(source, guest({ power: 'migrating', reason: 'migrating' }));
    expect(await undo(port, target.name)).toEqual({ undone: true });
    expect(port.at(source)?.power).toBe('running');
  });

  it('to it: a job that still runs is ended', async () => {
    const port = new FakePort();
    port.put(source, guest());
    port.running = jobView();
    expect(await undo(port, target.name)).toEqual({ undone: true });
    expect(port.running).toBeNull();
  });

  it('to it: what had left its source is with the lost host, and is evacuated from there', async () => {
    const gone = new FakePort();
    expect(await undo(gone, target.name)).toMatchObject({ undone: false, patch: { host: target.name } });
    const left = new FakePort();
    left.put(source, guest({ power: 'shutoff', reason: 'migrated' }));
    expect(await undo(left, target.name)).toMatchObject({ undone: false, cleanup: [] });
    expect(left.at(source)).toBeNull();
  });

  it('from it, by post-copy: what it had in memory is lost, and that is told', async () => {
    const port = new FakePort();
    port.put(target, guest({ power: 'migrating', reason: 'post-copy failed', postCopy: 'failed' }));
    expect(await undo(port, source.name)).toMatchObject({
      undone: false,
      patch: { host: target.name, state: 'error', powerState: 'migrating' },
    });
  });
});
