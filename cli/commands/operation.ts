import type { Command } from 'commander';
import { didYouMean } from '../../model/did-you-mean.js';
import { DroverError } from '../../model/errors.js';
import { operations } from '../../workflows/catalogue.js';
import type { Operation } from '../../workflows/define.js';
import {
  commandsOf,
  factsOf,
  generalFacts,
  type ErrorFact,
  type OperationFacts,
} from '../operation-facts.js';
import { outputOf, printList, printOne } from '../output.js';

export function register(operation: Command): void {
  operation
    .command('list')
    .description('List the operations: from which states, and where they leave the instance.')
    .action(async (_options: unknown, command: Command) => {
      const rows = [...operations.values()].map((one) => factsOf(one, []));
      await printList(outputOf(command), rows, columns, 'no operations');
    });
  operation
    .command('show')
    .description('Show what an operation does and takes, what it may end with, and what is undone.')
    .argument('<operation>', 'its name, such as live-migrate or host.reboot')
    .action((name: string, _options: unknown, command: Command) => show(name, command));
}

const columns = [
  { title: 'OPERATION', value: (row: OperationFacts) => row.key },
  { title: 'FROM', value: (row: OperationFacts) => row.allowedStates.join(', ') || null },
  { title: 'ENDS IN', value: (row: OperationFacts) => row.endsIn || null },
  { title: 'WHAT', value: (row: OperationFacts) => row.summary },
];

async function show(name: string, command: Command): Promise<void> {
  const found = find(name);
  const facts = factsOf(found, await commandsOf(found.target));
  const general = generalFacts(found.target);
  await printOne(outputOf(command), { ...facts, errors: [...facts.errors, ...general] }, [
    ['operation', facts.key],
    ['what', facts.summary],
    ['from', facts.allowedStates.join(', ') || undefined],
    ['ends in', facts.endsIn || undefined],
    ['undone', facts.undone],
    ['command', facts.command ?? 'none of its own; runbooks use it'],
    [
      'inputs',
      facts.inputs
        .map(({ name: key, type, given, about }) => `${key} (${type}, ${given}) ${about}`)
        .join('\n'),
    ],
    ['errors', facts.errors.map(errorLine).join('\n') || undefined],
    ['any', general.map(({ code }) => code).join(', ')],
  ]);
}

const errorLine = ({ code, exit, meaning, todo }: ErrorFact): string =>
  `${code} (exit ${exit}): ${meaning}; ${todo}`;

/** By key, or by the name alone: instances first, since most operations are on them. */
function find(name: string): Operation {
  const found = operations.get(name) ?? operations.get(`instance.${name}`) ?? operations.get(`host.${name}`);
  if (found) return found;
  const names = [...operations.values()].map((one) => one.name);
  const meant = didYouMean(name, [...names, ...operations.keys()]);
  throw new DroverError('NotFound', `there is no operation "${name}"`, {
    hint: meant === undefined ? 'see `drover operation list`' : `did you mean "${meant}"?`,
  });
}
