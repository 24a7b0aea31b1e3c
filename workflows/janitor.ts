/**
 * The janitor, started by a Temporal Schedule: asks every host how it is, then settles what operations left
 * behind that no longer run, and what guests did by themselves; it starts those whose restart policy says so. Each repair is an ordinary operation on its instance and obeys its admission.
 */
import { DroverError } from '../model/errors.js';
import { pool } from './pool.js';
import type { ChildRequest, Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

/** Repairs at a time: they touch hypervisors that may be in trouble. */
const repairsAtATime = 4;

export async function runJanitor(
  rt: Runtime,
): Promise<{ up: number; unknown: string[]; repaired: string[]; left: string[] }> {
  const { up, unknown, quarantined = [] } = await rt.activity('probeHosts', {});
  const orphans = await rt.activity('findOrphans', {});
  const repaired: string[] = [];
  const left: string[] = [];
  for (const { host, cut } of quarantined) {
    if (cut === undefined || rt.cancelled()) continue;
    try {
      const done = await rt.activity('cutOffAgain', { host: cut }, { byRecovery: true });
      (done.cut ? repaired : left).push(`${host}: ${done.says}`);
    } catch (cause) {
      left.push(`${host}: ${asDroverError(cause).message}`);
    }
  }
  await pool(
    orphans,
    repairsAtATime,
    () => !rt.cancelled(),
    async ({ instance, name, why, restart, terminate, recover }) => {
      const child = (
        operation: string,
        by: string,
        more: Partial<ChildRequest['request']> = {},
        input = {},
      ) =>
        rt.child({
          operation,
          subject: instance,
          label: name,
          runbook: null,
          host: null,
          request: { id: rt.id(), by, role: 'automation', run: null, ...more },
          input: { instance, ...input },
        });
      try {
        if (recover !== undefined) {
          // Not waited for: a recovery may ask people for days.
          const { incident: of, by } = recover;
          const request = { id: rt.id(), by, role: 'automation' as const, run: null };
          const its = { operation: 'host.recover', subject: name, label: name, runbook: null, host: name };
          await rt.later({ afterMs: 0, of, child: { ...its, request, input: { host: name, reason: why } } });
          repaired.push(`${name}: ${why}: begun again`);
          return;
        }
        if (terminate !== undefined) {
          const { by, role, keepDisks } = terminate;
          await child('instance.terminate', by, { role }, { keep_disks: keepDisks });
          repaired.push(`${name}: terminated: ${why}`);
          return;
        }
        const settled = restart === true ? null : await child('instance.repair', 'janitor');
        if (restart !== true) repaired.push(`${name}: ${why}`);
        if (restart !== true && settled?.['restart'] !== 'due') return;
        await child('instance.start', 'restart-policy');
        repaired.push(`${name}: started by its restart policy`);
      } catch (cause) {
        const error = asDroverError(cause);
        left.push(`${name}: ${error.message}`);
      }
    },
  );
  for (const { host, readmit, moveBack } of quarantined) {
    if (!readmit || rt.cancelled()) continue;
    const request = { id: rt.id(), by: 'janitor', role: 'automation' as const, run: null };
    const input = { host, move_back: moveBack };
    const child = {
      operation: 'host.readmit',
      subject: host,
      label: host,
      runbook: null,
      host,
      request,
      input,
    };
    try {
      await rt.child(child);
      repaired.push(`${host}: readmitted`);
    } catch (cause) {
      left.push(`${host}: ${asDroverError(cause).message}`);
    }
  }
  // A repair that somebody cancels or terminates is only left; a cancelled janitor says so itself.
  if (rt.cancelled()) throw new DroverError('Cancelled', 'the janitor was cancelled');
  const lines = [
    `${up.length} hosts answer${unknown.length ? `, these do not: ${unknown.map((u) => `${u.host} (${u.reason})`).join(', ')}` : ''}.`,
    ...quarantined.map(({ host }) => `- ${host} is fenced and answers again: quarantined`),
    ...quarantined.flatMap(({ twoCopies }) => twoCopies.map((text) => `- TWO COPIES: ${text}`)),
    ...repaired.map((text) => `- settled ${text}`),
    ...left.map((text) => `- not settled ${text}`),
  ];
  rt.show('done', lines.join('\n'));
  return { up: up.length, unknown: unknown.map((u) => u.host), repaired, left };
}
