/** Every change is written to the audit trail: done, or refused with the code of its error. */
import { appendTrail } from '../activities/inventory/trail.js';
import { DroverError } from '../model/errors.js';
import type { Caller } from './caller.js';

interface Recorded {
  /** `instance.stop`, `run.approve`, `token.create`. */
  action: string;
  /** Of what: as it was named by who asked. */
  subject: string;
  /** Values are cut, and those that may be secret are left out. */
  details?: Record<string, unknown>;
}

type Recorder = Pick<Caller, 'inventory' | 'identity' | 'via' | 'say'>;

/**
 * Answers what `work` answers. `more` takes details that are known only later. Where the trail can't be written, what was
 * done stays done and the error says so: nothing is told as done that nobody could find again.
 */
export async function recorded<T>(
  caller: Recorder,
  { action, subject, details = {} }: Recorded,
  work: (more: (details: Record<string, unknown>) => void) => Promise<T>,
): Promise<T> {
  const all = { ...details };
  const note = async (outcome: string): Promise<void> => {
    const { name: by, role, token } = caller.identity;
    const told = shownIn({ ...all, ...(token === undefined ? {} : { by_token: token }) });
    const line = { by, role, via: caller.via, action, subject: cut(subject), outcome, details: told };
    await appendTrail(caller.inventory, line);
  };
  let answer: T;
  try {
    answer = await work((more) => void Object.assign(all, more));
  } catch (error) {
    // The refusal is the one to tell.
    await note(error instanceof DroverError ? error.code : 'Internal').catch((failure: unknown) =>
      caller.say(`the audit trail could not be written: ${String(failure)}`),
    );
    throw error;
  }
  await note('done').catch((cause: unknown) => {
    throw new DroverError('NotRecorded', `${action} of ${subject} was done, but not recorded`, { cause });
  });
  return answer;
}

const secretive =
  /pass|secret|token|key|credential|auth|user.?data|meta.?data|cloud.?init|network.?config|content|body|header|env/i;
const longest = 100;
const most = 20;

function shownIn(details: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries
      .slice(0, most)
      .map(([key, value]) => [
        cut(key),
        secretive.test(key) && key !== 'by_token' ? '(left out)' : shown(value, depth),
      ]),
  );
}

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value.replace(/\/\/[^/@\s]*@/g, '//***@'));
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= 3) return '(cut)';
  if (Array.isArray(value)) return value.slice(0, most).map((one) => shown(one, depth + 1));
  return shownIn(value as Record<string, unknown>, depth + 1);
}

const cut = (text: string): string => (text.length <= longest ? text : `${text.slice(0, longest)}…`);
