/** What a host can offer to guests that come: its processors and its networks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DroverError } from '../../../model/errors.js';
import type { HostCpu, HostRef } from '../../../model/host.js';
import type { Virsh } from './virsh.js';
import { parseBaseline, parseHostCpu } from './xml.js';

/** By what libvirt says of a processor: hosts of one make are asked once, and nothing changes until a host does. */
const expanded = new Map<string, HostCpu>();
const many = 1000;

/**
 * The processors with all their features. libvirt names only those that its model does not have; so it is asked to spell
 * them out. Null where it can't: nothing is then refused because of them.
 */
export async function cpuOf(virsh: Virsh, host: HostRef, capabilities: string): Promise<HostCpu | null> {
  const [text] = /<cpu>[^]*?<\/cpu>/.exec(capabilities) ?? [];
  if (text === undefined) return null;
  const known = expanded.get(text);
  if (known) return known;
  const directory = await mkdtemp(join(tmpdir(), 'drover-cpu-'));
  try {
    const file = join(directory, 'cpu.xml');
    await writeFile(file, text, { mode: 0o600 });
    const { arch } = parseHostCpu(capabilities);
    const { vendor, model, features } = parseBaseline(
      await virsh.read(host, ['cpu-baseline', '--features', file]),
    );
    const cpu = { arch, vendor, model, features: features.toSorted() };
    if (expanded.size >= many) expanded.clear();
    expanded.set(text, cpu);
    return cpu;
  } catch (error) {
    return unknown(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Networks that libvirt runs, and interfaces of the host, bridges above all; null where it does not tell. */
export async function networksOf(virsh: Virsh, host: HostRef): Promise<string[] | null> {
  try {
    const [networks, interfaces] = await virsh.batch(host, ['net-list --name', 'iface-list --all']);
    const names = [...rows(networks).map((row) => row.trim()), ...rows(interfaces).flatMap(interfaceOf)];
    return [...new Set(names)].toSorted();
  } catch (error) {
    return unknown(error);
  }
}

const rows = (text: string | null | undefined): string[] =>
  (text ?? '').split('\n').filter((line) => line.trim() !== '');

/**
 * A row of ` Name   State   MAC`; the table's head and its line say nothing. A bridge on which no guest runs has no carrier and
 * is told as inactive: it takes guests all the same.
 */
function interfaceOf(row: string): string[] {
  const [name, state] = row.trim().split(/\s+/);
  const isRow = state === 'active' || state === 'inactive';
  return name !== undefined && isRow && name !== 'lo' ? [name] : [];
}

/** What a host's drivers can't tell is no failure of the host. */
function unknown(error: unknown): null {
  if (error instanceof DroverError) return null;
  throw error;
}
