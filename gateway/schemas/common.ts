/** Shapes that many routes share. Objects are open: keys are only ever added. */
import { z } from 'zod';

export const problem = z
  .looseObject({
    code: z.string().describe('As in docs/runbooks.md: NotFound, InvalidInput, InstanceBusy, …'),
    message: z.string(),
    details: z.looseObject({}).optional(),
    hint: z.string().nullable().optional().describe('What to do next.'),
  })
  .describe('What went wrong.');

export const listOf = <Item extends z.ZodType>(item: Item) => z.looseObject({ items: z.array(item) });

export const limit = z.coerce
  .number<string>({ error: 'must be a whole number from 1 to 1000' })
  .int()
  .min(1)
  .max(1000)
  .default(100)
  .describe('How many.');
export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');
export const dryRun = flag.describe('true: tell what it would do, and do nothing.');
export const comment = z
  .string()
  .max(1000)
  .nullable()
  .default(null)
  .describe('Why: recorded with your name.');

/** An id or a name, as it stands in a path. */
export const named = z.string().min(1).max(200);
export const time = z.string().describe('RFC 3339, UTC.');
export const failure = problem.nullable();
