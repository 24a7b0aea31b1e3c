/** What an operation's declaration says, in words: for `drover operation show` and the page docs/operations.md. */
import { Command } from 'commander';
import { z } from 'zod';
import { errorTable } from '../model/error-table.js';
import { type ErrorCode } from '../model/errors.js';
import { operationKey, type Operation } from '../workflows/define.js';
import { generalErrors } from '../workflows/general-errors.js';

export interface OperationFacts {
  key: string;
  summary: string;
  allowedStates: readonly string[];
  endsIn: string;
  respectsLock: boolean;
  inputs: InputFact[];
  errors: ErrorFact[];
  undone: string;
  /** How it is called; null where no command of its own does. */
  command: string | null;
}

export interface InputFact {
  name: string;
  type: string;
  /** `required`, the default as JSON, or `not set`. */
  given: string;
  about: string;
}

export interface ErrorFact {
  code: ErrorCode;
  exit: number;
  meaning: string;
  todo: string;
}

/** `commands`: those of the program for the target of the operation, by which it is known how it is called. */
export function factsOf(operation: Operation, commands: readonly Command[]): OperationFacts {
  const isInstance = operation.target === 'instance';
  return {
    key: operationKey(operation),
    summary: operation.summary,
    allowedStates: isInstance ? statesOf(operation.allowedStates) : [],
    endsIn: isInstance ? endText(operation.endsIn) : '',
    respectsLock: isInstance && (operation.respectsLock ?? true),
    inputs: inputsOf(operation.input),
    errors: operation.errors.map(errorFact),
    undone: operation.undone,
    command: commandOf(operation, commands),
  };
}

export const generalFacts = (target: Operation['target']): ErrorFact[] =>
  generalErrors[target].map(errorFact);

const statesOf = (allowed: readonly string[] | 'any'): readonly string[] =>
  allowed === 'any' ? ['any but deleted'] : allowed;

const endText = (end: readonly string[] | string): string =>
  typeof end !== 'string' ? end.join(' or ') : end === 'as seen' ? 'what the hypervisors tell' : end;

function errorFact(code: ErrorCode): ErrorFact {
  const { exit, meaning, todo } = errorTable[code];
  return { code, exit, meaning, todo };
}

interface Property {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: string[];
  anyOf?: Property[];
  items?: Property;
}

function inputsOf(schema: z.ZodObject): InputFact[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties as Record<string, Property>).map(([name, property]) => ({
    name,
    type: typeText(property),
    given: required.includes(name)
      ? 'required'
      : property.default === undefined || property.default === null
        ? 'not set'
        : JSON.stringify(property.default),
    about: property.description ?? property.anyOf?.find((one) => one.description)?.description ?? '',
  }));
}

function typeText({ type, enum: choices, anyOf, items }: Property): string {
  if (anyOf) {
    const real = anyOf.filter((one) => one.type !== 'null');
    return real.map(typeText).join(' or ');
  }
  if (choices) return choices.join(', ');
  if (type === 'array') return `list of ${typeText(items ?? {})}`;
  if (type === 'object') return 'object';
  return [type ?? 'any']
    .flat()
    .filter((one) => one !== 'null')
    .join(' or ');
}

/** The commands on instances or hosts, without the rest of the program. */
export async function commandsOf(target: Operation['target']): Promise<readonly Command[]> {
  const group = new Command(target);
  if (target === 'instance') (await import('./commands/instance.js')).register(group);
  else await (await import('./commands/host.js')).register(group, []);
  return group.commands;
}

/** As its own help has it, required options included, but those that every operation has. */
function commandOf(operation: Operation, commands: readonly Command[]): string | null {
  const command = commands.find((one) => one.name() === operation.name);
  // A command of that name that tells something else does more: a runbook around the operation.
  if (command?.description() !== operation.summary) return null;
  const places = command.registeredArguments.map((one) =>
    one.required ? `<${one.name()}>` : `[${one.name()}]`,
  );
  const flags = command.options
    .filter((one) => !common.has(one.long ?? ''))
    .map((one) => (one.mandatory ? one.flags : `[${one.flags}]`));
  return ['drover', operation.target, operation.name, ...places, ...flags].join(' ');
}

const common = new Set(['--wait', '--no-wait', '--timeout', '--dry-run', '--idempotency-key']);
