/** Finds what a step uses, checks what it is given, and tells what it gives back. */
import type { z } from 'zod';
import type { FileIssue, Path } from '../../config/yaml-file.js';
import { didYouMean } from '../../model/did-you-mean.js';
import type { Catalogue } from './catalogue.js';
import type { CelType } from './cel-types.js';
import { checkTexts, checkWith, type Checker, type Issues } from './check-with.js';
import { signatureSchema } from './signature.js';
import { queryType } from './types.js';
import { isQuery, runbookOf } from './uses.js';

interface Use {
  uses: string;
  with?: Record<string, unknown> | undefined;
}

interface Around {
  catalogue: Catalogue;
  file: Issues;
}

export interface CheckedUse {
  issues: FileIssue[];
  /** What `result` is, of one that runs once. */
  result: CelType;
}

export function checkUse(use: Use, path: Path, checker: Checker, { catalogue, file }: Around): CheckedUse {
  const known = lookUp(use.uses, catalogue);
  if (known === undefined) {
    // What it is given can't be judged, but its expressions can.
    const { message, hint } = unknown(use.uses, catalogue);
    const issue = file.issue([...path, 'uses'], message, { hint });
    return { issues: [issue, ...checkTexts(use.with, [...path, 'with'], checker, file)], result: 'dyn' };
  }
  const { schema, result } = known;
  if (schema === null) return { issues: checkTexts(use.with, [...path, 'with'], checker, file), result };
  const taker = isQuery(use.uses) ? `the query ${use.uses.slice('query.'.length)}` : use.uses;
  return { issues: checkWith({ path, taker, schema, given: use.with }, checker, file), result };
}

/** `schema` null: what it takes is not known. */
function lookUp(
  uses: string,
  { operations, queries, runbooks }: Catalogue,
): { schema: z.ZodObject | null; result: CelType } | undefined {
  const operation = operations.get(uses);
  if (operation !== undefined) return { schema: operation.input, result: 'dyn' };
  const query = isQuery(uses) ? queries.get(uses.slice('query.'.length)) : undefined;
  if (query !== undefined) return { schema: query.input, result: `list<${queryType(query.name)}>` };
  const name = runbookOf(uses);
  const signature = name === undefined ? undefined : runbooks?.get(name);
  if (signature === null) return { schema: null, result: 'dyn' };
  return signature && { schema: signatureSchema(signature.inputs), result: { ...signature.outputs } };
}

function unknown(uses: string, catalogue: Catalogue): { message: string; hint: string } {
  if (uses.includes('${{')) {
    const message = 'what is used is named as it is, without expressions';
    return { message, hint: 'make a step for each, with an if' };
  }
  const runbooks = [...(catalogue.runbooks?.keys() ?? [])];
  const name = runbookOf(uses);
  if (name !== undefined) {
    const message = `there is no runbook "${name}"`;
    const meant = didYouMean(name, runbooks);
    return {
      message,
      hint:
        meant === undefined
          ? 'see `drover runbook list`; they are found in the folders that drover.yaml names'
          : `did you mean "runbook.${meant}"?`,
    };
  }
  const queries = [...catalogue.queries.keys()].map((query) => `query.${query}`);
  if (isQuery(uses)) {
    const meant = didYouMean(uses.slice('query.'.length), catalogue.queries.keys());
    const hint =
      meant === undefined ? `known are ${queries.toSorted().join(', ')}` : `did you mean "query.${meant}"?`;
    return { message: `unknown query "${uses}"`, hint };
  }
  return { message: `unknown operation "${uses}"`, hint: operationHint(uses, catalogue, queries, runbooks) };
}

function operationHint(uses: string, catalogue: Catalogue, queries: string[], runbooks: string[]): string {
  const keys = [...catalogue.operations.keys()];
  const meant =
    didYouMean(uses, [...keys, ...queries]) ??
    keys.find((key) => key.split('.')[1] === uses) ??
    queries.find((query) => query === `query.${uses}`) ??
    (runbooks.includes(uses) ? `runbook.${uses}` : undefined);
  if (meant !== undefined) return `did you mean "${meant}"?`;
  const same = keys.filter((key) => key.split('.')[0] === uses.split('.')[0]);
  return `known are ${(same.length > 0 ? same : keys).toSorted().join(', ')}`;
}
