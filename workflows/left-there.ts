/**
 * What is not carried out since its host is fenced. Nothing runs there, and guests go with the readmission; a disk is removed
 * by another host that reaches it, and is kept in mind for the readmission where none does.
 */
import { workPlace } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import type { Intent, Owner, Settled } from '../model/operation.js';
import { directoryOf, removal } from './instance/probe-storage.js';
import type { Runtime } from './runtime.js';

export interface LeftThere {
  settled: Settled[];
  says: string;
  /** The disk, if it waits for its host. */
  kept: string | null;
}

export async function leftThere(
  rt: Runtime,
  owner: Owner,
  intent: Intent & { fenced: string },
): Promise<LeftThere> {
  const { operation, seq, activity, says, fenced } = intent;
  const guest = { says: `${says}: left to the readmission of ${fenced}`, kept: null };
  if (activity !== 'removeDisk') return { settled: [{ operation, seq }], ...guest };
  const { by, probes } = await removedElsewhere(rt, owner, intent);
  if (by !== null)
    return { settled: [{ operation, seq }, ...probes], says: `${says}: removed by ${by}`, kept: null };
  const waits = `${says}: kept until ${fenced} is readmitted, which removes it`;
  return {
    settled: [{ operation, seq, kept: true }, ...probes],
    says: waits,
    kept: String(intent.input['path']),
  };
}

interface Elsewhere {
  /** The host that removed it; null where none could. */
  by: string | null;
  /** The undos of probe files that are gone. */
  probes: Settled[];
}

async function removedElsewhere(
  rt: Runtime,
  owner: Owner,
  { operation, seq, input, fenced: lost }: Intent & { fenced: string },
): Promise<Elsewhere> {
  const { instance, path, onlyIfMade } = input as { instance: string; path: string; onlyIfMade?: boolean };
  const probes: Settled[] = [];
  // Only the host that made it can tell that it did.
  if (onlyIfMade === true) return { by: null, probes };
  const { format, declared, others } = await rt.activity('diskSharers', { operation, instance, path, lost });
  const on = (host: HostRef) => ({ onHost: workPlace(host) });
  const removes = async (host: HostRef): Promise<void> => {
    await rt.activity('removeDisk', { instance, path }, { owner, seq, ...on(host) });
  };
  /** Throws while somebody writes to it, and where it is not there. */
  const isThere = (host: HostRef) => rt.activity('diskFacts', { path, format, unused: true }, on(host));
  for (const host of declared) {
    try {
      // By the operator's word it is the same file: that it is gone already is as good.
      if (await there(isThere(host))) await removes(host);
      return { by: host.name, probes };
    } catch {
      // Its worker may be away, or somebody has the file open: the next one may tell otherwise.
    }
  }
  for (const [index, host] of declared.length > 0 ? [] : others.entries()) {
    const reader = others[(index + 1) % others.length];
    if (reader === undefined || reader.name === host.name) break;
    const probe = { directory: directoryOf(path), nonce: rt.id() };
    const undo = { operation: owner.operation, seq: probeSeq + index };
    try {
      await rt.activity('writeProbe', probe, {
        owner,
        seq: undo.seq,
        undo: removal(probe, host),
        ...on(host),
      });
      const { shared } = await rt.activity('readProbe', probe, on(reader));
      await rt.activity('removeProbe', probe, { owner, seq: undo.seq, ...on(host) });
      probes.push(undo);
      if (!shared) continue;
      await isThere(host);
      await removes(host);
      return { by: host.name, probes };
    } catch {
      // As above; what a probe left is an open undo.
    }
  }
  return { by: null, probes };
}

/** Out of the way of what operations number themselves. */
const probeSeq = 900_000;

async function there(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return false;
    throw error;
  }
}
