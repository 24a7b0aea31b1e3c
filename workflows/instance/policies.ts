/** What an instance lets be done to it, as inputs of operations: read the same by launch and set-policy. */
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import { defaultMovePolicy, movePolicy, restartPolicies, type MovePolicy } from '../../model/instance.js';
import { haPolicies } from '../../model/incident.js';
import type { InstancePatch } from '../../model/operation.js';

const rungs = ['auto-converge', 'post-copy', 'pause', 'cold'] as const;
type Rung = (typeof rungs)[number];

const listOf = (says: string) => z.array(z.string()).default([]).describe(says);

export const policyInputs = {
  max_downtime: z
    .string()
    .regex(/^\d{1,6}(ms|s)$/, 'must be a length of time in ms or s, such as 500ms or 2s')
    .optional()
    .describe('How long a live migration may let it stand still, such as 500ms'),
  allow: listOf(
    'What a live migration may do to come to its end: auto-converge, post-copy, pause=2s, cold; several by commas',
  ),
  forbid: listOf('What it may not do: auto-converge, post-copy, pause, cold'),
  restart: z
    .enum(restartPolicies)
    .optional()
    .describe('When drover starts it again after it went off by itself'),
  ha: z
    .enum(haPolicies)
    .optional()
    .describe(
      'Whether and when it is brought back from a lost host: 1 first to 5 last, then best-effort, which takes no reserved host; never',
    ),
};

/** For `superRefine`: what is wrong with them is told before anything begins. */
export function checkPolicies(given: Policies, issues: z.core.$RefinementCtx): void {
  try {
    policyPatch(null, given);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    issues.addIssue({ code: 'custom', message: `${error.message}; ${error.hint}` });
  }
}

export type Policies = z.output<z.ZodObject<typeof policyInputs>>;

/** What the inputs make of the policies that there are; nothing where they say nothing. */
export function policyPatch(
  before: MovePolicy | null,
  { max_downtime, allow, forbid, restart, ha }: Policies,
): Pick<InstancePatch, 'movePolicy' | 'restartPolicy' | 'haPolicy'> {
  const moves = max_downtime !== undefined || allow.length > 0 || forbid.length > 0;
  return {
    ...(moves ? { movePolicy: moved(before ?? defaultMovePolicy, { max_downtime, allow, forbid }) } : {}),
    ...(restart === undefined ? {} : { restartPolicy: restart }),
    ...(ha === undefined ? {} : { haPolicy: ha }),
  };
}

function moved(
  before: MovePolicy,
  { max_downtime, allow, forbid }: Pick<Policies, 'max_downtime' | 'allow' | 'forbid'>,
): MovePolicy {
  const [allowed, forbidden] = [words(allow), words(forbid)];
  const both = allowed.find(({ rung }) => forbidden.some((other) => other.rung === rung));
  if (both !== undefined)
    throw new DroverError('InvalidInput', `${both.rung} can't be both allowed and forbidden`);
  let policy = max_downtime === undefined ? before : { ...before, downtimeMs: msOf(max_downtime) };
  for (const { rung, value } of allowed) policy = { ...policy, ...allowing(rung, value) };
  for (const { rung } of forbidden) policy = { ...policy, ...forbidding[rung] };
  const checked = movePolicy.safeParse(policy);
  if (checked.success) return checked.data;
  throw new DroverError('InvalidInput', z.prettifyError(checked.error));
}

/** `auto-converge,pause=2s` → the rungs that it names. */
const words = (given: readonly string[]): { rung: Rung; value: string | undefined }[] =>
  given
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => {
      const [name, value] = text.split('=');
      const rung = rungs.find((known) => known === name);
      if (rung !== undefined && (value === undefined || rung === 'pause')) return { rung, value };
      throw new DroverError('InvalidInput', `a live migration knows no "${text}"`, {
        hint: `it knows ${rungs.join(', ')}; pause takes a time: pause=2s`,
      });
    });

function allowing(rung: Rung, value: string | undefined): Partial<MovePolicy> {
  if (rung === 'auto-converge') return { autoConverge: true };
  if (rung === 'post-copy') return { postCopy: true };
  if (rung === 'cold') return { cold: 'allow' };
  if (value !== undefined && /^\d{1,6}(ms|s)$/.test(value)) return { pauseMs: msOf(value) };
  throw new DroverError('InvalidInput', 'pause needs a time: how long the guest may be paused at most', {
    hint: 'write pause=2s or pause=500ms',
  });
}

const forbidding: Record<Rung, Partial<MovePolicy>> = {
  'auto-converge': { autoConverge: false },
  'post-copy': { postCopy: false },
  pause: { pauseMs: 0 },
  cold: { cold: 'never' },
};

const msOf = (text: string): number => Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : 1000);
