/** A route for each operation of the catalogue, with the input that it declares. */
import { z } from 'zod';
import type { Caller } from '../client/caller.js';
import { dryRun as tryOut } from '../client/dry-run.js';
import { answerOf, closedAnswer } from '../client/operation-answer.js';
import { startOperation } from '../client/operations.js';
import { operations } from '../workflows/catalogue.js';
import { operationKey, type Operation } from '../workflows/define.js';
import { idOf } from './idempotency.js';
import { Answer, type Add } from './route.js';
import * as answers from './schemas/answers.js';
import { dryRun, named } from './schemas/common.js';

/** All but those that make their subject. */
export function addOperations(add: Add, target: Operation['target']): void {
  for (const operation of operations.values()) {
    if (operation.target !== target || ('creates' in operation && operation.creates !== undefined)) continue;
    const { [target]: _, ...shape } = operation.input.shape;
    add({
      method: 'POST',
      url: `/${target}s/:${target}/operations/${operation.name}`,
      operationId: camel(operationKey(operation)),
      summary: operation.summary,
      description: `May end with ${operation.errors.join(', ') || 'the general errors'}. Taken back when it fails: ${operation.undone}`,
      params: z.strictObject({ [target]: named.describe(`Name or id of the ${target}.`) }),
      query: z.strictObject({ dryRun }),
      body: z.strictObject(shape),
      answers: { 202: answers.startedOperation, 200: answers.startedOperation.or(answers.dryRunAnswer) },
      handle: ({ caller, params, query, body, request }) =>
        operate(
          caller,
          operationKey(operation),
          { ...body, [target]: params[target] },
          query.dryRun,
          idOf(request),
        ),
    });
  }
}

export async function operate(
  caller: Caller,
  operation: string,
  input: Record<string, unknown>,
  dry: boolean,
  idempotencyKey: string | undefined,
): Promise<Answer> {
  if (dry) return new Answer(200, await tryOut(caller, { operation, input }));
  const begun = await startOperation(caller, { operation, input, idempotencyKey });
  if (begun.kind === 'closed') {
    const { instance, host } = begun.record;
    return new Answer(200, closedAnswer(begun.record, instance ?? host ?? ''));
  }
  const told = await answerOf(caller, begun.started);
  return new Answer(202, told, `/api/v1/operations/${told.id}`);
}

/** `instance.live-migrate` becomes `instanceLiveMigrate`. */
const camel = (key: string): string =>
  key.replaceAll(/[.-](\w)/g, (_, letter: string) => letter.toUpperCase());
