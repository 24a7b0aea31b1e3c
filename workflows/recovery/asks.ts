/** What a recovery asks people, and who may answer: Temporal updates `approve`, `reject` and `attest`. */
import { DroverError } from '../../model/errors.js';
import type { OperationAsk } from '../../model/operation.js';
import type { Recovery } from './recovery.js';

export const incidentAsks = ['approve', 'reject', 'attest'] as const;
export type IncidentAsk = (typeof incidentAsks)[number];

export interface Question {
  /** What it waits for, and what to do. */
  says: string;
  /** What each answer would mean; the others are refused. */
  answers: Partial<Record<IncidentAsk, string>>;
  /** Becomes true where it should look again at once. */
  wakes?: () => boolean;
  /** Those that only an administrator may give. */
  admin: readonly IncidentAsk[];
}

export interface Given {
  action: IncidentAsk;
  by: string;
  comment: string | null;
}

/**
 * Asks, and waits as long as it takes. Meanwhile `again` looks after growing pauses whether the question has answered
 * itself: nobody has to come for what is over.
 */
export async function ask<T>(
  recovery: Recovery,
  question: Question,
  again: () => Promise<T | null>,
): Promise<Given | T> {
  const before = recovery.state;
  const asked = new Asking(question);
  recovery.question = asked;
  await recovery.note('waiting', question.says, { state: 'waiting', waitsFor: question.says });
  let pause = firstPause;
  for (;;) {
    await recovery.ctx.until(() => asked.given !== null || question.wakes?.() === true, pause);
    if (asked.given !== null) break;
    pause = Math.min(pause * 2, longestPause);
    const found = await again();
    if (asked.given !== null) break;
    if (found === null) continue;
    recovery.question = null;
    await recovery.note('waiting', 'nobody has to answer any more', { state: before, waitsFor: null });
    return found;
  }
  recovery.question = null;
  recovery.state = before;
  return asked.given;
}

/** A question that is open. */
class Asking implements Question {
  given: Given | null = null;
  readonly says: string;
  readonly answers: Question['answers'];
  readonly admin: Question['admin'];

  constructor(question: Question) {
    this.says = question.says;
    this.answers = question.answers;
    this.admin = question.admin;
  }
}

const firstPause = 60_000;
const longestPause = 15 * 60_000;

export function serveAsks(recovery: Recovery): void {
  recovery.ctx.serve('join', {
    validate: () => undefined,
    async handle({ by, comment }) {
      recovery.joined = true;
      await recovery.note('asked again', `${by} asks for it, too${comment ? `: ${comment}` : ''}`);
      return { said: `the recovery of ${recovery.host} runs already` };
    },
  });
  for (const action of incidentAsks) {
    recovery.ctx.serve(action, {
      validate: (given) => void mayAnswer(recovery, action, given),
      async handle(given) {
        const { by, role, comment = null } = given;
        const question = mayAnswer(recovery, action, given);
        // At once: a second answer is refused from here on.
        question.given = { action, by, comment };
        const said = `${by} (${role}) ${words[action]}${comment === null ? '' : `: ${comment}`}`;
        await recovery.note(words[action], said, {
          state: recovery.state,
          waitsFor: null,
          details: { by, role, action, comment },
        });
        return { said: `${recovery.host}: ${question.answers[action] ?? said}` };
      },
    });
  }
}

const words: Record<IncidentAsk, string> = { approve: 'approved', reject: 'rejected', attest: 'attested' };

function mayAnswer(recovery: Recovery, action: IncidentAsk, { by, role }: OperationAsk): Asking {
  const { question, host, id } = recovery;
  const details = { by, role, incident: id };
  if (role === 'viewer' || role === 'automation') {
    const why = role === 'viewer' ? 'which may only look' : 'and only a person may answer for a host';
    throw new DroverError('PermissionDenied', `${by} has the role ${role}, ${why}`, { details });
  }
  if (!(question instanceof Asking) || question.given !== null || question.answers[action] === undefined) {
    const takes = question instanceof Asking && question.given === null ? Object.keys(question.answers) : [];
    const now = takes.length > 0 ? `it takes ${takes.join(' or ')} now` : `it asks nobody now`;
    throw new DroverError('WrongState', `the recovery of ${host} can't be ${words[action]}: ${now}`, {
      details: { ...details, takes },
      hint: `see where it stands with \`drover incident show ${id}\``,
    });
  }
  if (question.admin.includes(action) && role !== 'admin') {
    throw new DroverError(
      'PermissionDenied',
      `${by} has the role ${role}; to ${action} this needs an administrator`,
      {
        details,
        hint: 'two copies of a guest on one disk destroy it: ask somebody with the role admin',
      },
    );
  }
  return question;
}
