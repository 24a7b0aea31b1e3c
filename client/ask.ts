/** What is asked for, before it is started: nothing here needs Temporal. */
import { getHost } from '../activities/inventory/hosts.js';
import { getInstance } from '../activities/inventory/instances.js';
import { checkSchema, pathText } from '../config/yaml-file.js';
import { DroverError } from '../model/errors.js';
import { didYouMean } from '../model/did-you-mean.js';
import { operations } from '../workflows/catalogue.js';
import type { Operation } from '../workflows/define.js';
import type { Caller } from './caller.js';

export interface Asked {
  operation: Operation;
  /** Parsed: an instance by its id, defaults filled in. */
  input: Record<string, unknown>;
  /** Id of the instance, or name of the host. */
  subject: string;
  /** Its name, for people. */
  label: string;
  /** Where the instance is now. */
  host: string | null;
}

/** Parses the input and finds out whom it is about. Throws InvalidInput, NotFound, Ambiguous. */
export async function resolveAsk(
  caller: Caller,
  ask: { operation: string; input: Record<string, unknown> },
): Promise<Asked> {
  const operation = operations.get(ask.operation);
  if (!operation) {
    const meant = didYouMean(ask.operation, operations.keys());
    throw new DroverError('InvalidInput', `no operation is called "${ask.operation}"`, {
      hint:
        meant === undefined ? `known are ${[...operations.keys()].join(', ')}` : `did you mean "${meant}"?`,
    });
  }
  const input = parseInput(operation, ask.input);
  if (operation.target === 'host') {
    const { name } = await getHost(caller.inventory, String(input['host']));
    return { operation, input, subject: name, label: name, host: null };
  }
  if (operation.creates) {
    return {
      operation,
      input,
      subject: String(input['instance']),
      label: operation.creates(input).name,
      host: null,
    };
  }
  const { id, name, host } = await getInstance(caller.inventory, String(input['instance']));
  return { operation, input: { ...input, instance: id }, subject: id, label: name, host };
}

/** Throws InvalidInput that names each wrong value. `nameOf` gives a key the name that the asker knows. */
export function parseInput(
  operation: Operation,
  input: Record<string, unknown>,
  nameOf: (key: string) => string = (key) => key,
): Record<string, unknown> {
  const { value, issues } = checkSchema(operation.input.strict(), input);
  if (value !== undefined) return value;
  const told = issues.map(({ path, message, hint }) => {
    const [first, ...rest] = path;
    const where = first === undefined ? '' : `${nameOf(String(first))}${pathText(rest)}: `;
    return { path: pathText(path), text: `${where}${message}${hint === undefined ? '' : ` (${hint})`}` };
  });
  throw new DroverError('InvalidInput', `${operation.name}: ${told.map(({ text }) => text).join('; ')}`, {
    details: { issues: told },
    hint: `see \`drover ${operation.target} ${operation.name} --help\``,
  });
}
