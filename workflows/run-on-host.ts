/** The wrapper of every host operation: what it may do, and for what takes its time, the record around it. */
import { workPlace } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { Request } from '../model/operation.js';
import type { HostOperation } from './define.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

export async function runOnHost(
  def: HostOperation,
  request: Request,
  input: Record<string, unknown>,
  rt: Runtime,
): Promise<Record<string, unknown> | null> {
  const host = String(input['host']);
  rt.show(def.name, def.summary);
  const run = () =>
    def.run(input, {
      request,
      call: (name, args, { on, at, within, owner } = {}) =>
        rt.activity(name, args, {
          onHost: on ? workPlace(on) : null,
          within: within ?? null,
          ...(at === undefined ? {} : { atVantage: at }),
          owner: owner ?? null,
        }),
      child: (operation, { id: subject, name: label }, more = {}) =>
        rt.child({
          operation,
          subject,
          label,
          runbook: null,
          host,
          request: { ...request, id: rt.id() },
          input: { instance: subject, ...more },
        }),
      now: () => rt.now(),
      cancelled: () => rt.cancelled(),
      phase: (phase, detail) => rt.show(phase, `${host}: ${detail ?? phase}`),
      show: (phase, details) => rt.show(phase, details),
      id: () => rt.id(),
      serve: (name, ask) => rt.serve(name, ask),
      hear: (take) => rt.hear(take),
      sleep: (ms, summary) => rt.sleep(ms, summary),
      until: (holds, ms) => rt.until(holds, ms),
      shielded: (work) => rt.shielded(work),
    });
  if (!def.takesTime) return run();
  const order = { kind: def.name, request, host, input };
  const began = await rt.shielded(() => rt.activity('beginHostOperation', order));
  if (began.outcome === 'closed') {
    if (began.error === null) return began.result;
    const { code, message, details, hint } = began.error;
    throw new DroverError(code, message, { details, hint });
  }
  const finish = (
    state: 'succeeded' | 'failed' | 'cancelled',
    end: { result?: Record<string, unknown>; error?: DroverError },
  ) =>
    rt.shielded(() =>
      rt.activity('finishHostOperation', {
        id: request.id,
        state,
        result: end.result ?? null,
        error: end.error?.toRecord() ?? null,
      }),
    );
  let result: Record<string, unknown>;
  try {
    result = await run();
  } catch (cause) {
    const error = asDroverError(cause);
    const state = error.code === 'Cancelled' ? 'cancelled' : 'failed';
    await finish(state, { error });
    rt.show(state, error.message);
    throw error;
  }
  await finish('succeeded', { result });
  rt.show('succeeded', `host ${host}: ${def.name} done`);
  return result;
}
