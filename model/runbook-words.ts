/** The words that keys of a runbook are made of. */
import { z } from 'zod';
import { durationSchema } from './duration.js';

/** Names that expressions use: `inputs.max_failures`, `steps.move`. CEL would read a `-` as minus. */
const identifierPattern = /^[a-z][a-z0-9_]{0,62}$/;

const identifierRule = 'must begin with a small letter and go on with small letters, digits and _';
export const identifier = z.string().regex(identifierPattern, { error: identifierRule });

export const template = (what: string) =>
  z.string().regex(/\$\{\{/, { error: `must be ${what}, or an expression \${{ … }} that gives one` });

export const countOrTemplate = (minimum: number, what: string) =>
  z.union([z.int().min(minimum), template(what)], {
    error: `must be ${what}, or an expression \${{ … }} that gives one`,
  });

export const withSchema = z
  .record(z.string(), z.unknown())
  .describe(
    'The input of the operation: `drover runbook schema` lists it for each. Values may hold expressions ${{ … }}.',
  );

export const usesSchema = z
  .string()
  .min(1)
  .describe(
    'What to run: an operation such as instance.live-migrate or host.disable, a query (query.instances, query.hosts), or ' +
      'another runbook (runbook.NAME).',
  );

export const durationOrTemplate = z.union([durationSchema, template('a length of time')], {
  error: (issue) =>
    `must be a length of time with its unit, such as 90s, 10m or 2h, or an expression, not ${JSON.stringify(issue.input) ?? 'empty'}`,
});

export const conditionSchema = (example: string) =>
  z.union([z.boolean(), z.string().min(1)], { error: `must be a condition, such as ${example}` });
