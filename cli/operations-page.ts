/** docs/operations.md, made from the declarations: `npm run docs` writes it, a test tells when it is stale. */
import { instanceStates } from '../model/instance.js';
import { operations } from '../workflows/catalogue.js';
import type { InstanceOperation } from '../workflows/define.js';
import {
  commandsOf,
  factsOf,
  generalFacts,
  type ErrorFact,
  type InputFact,
  type OperationFacts,
} from './operation-facts.js';

/** The page as Markdown, before it is formatted. */
export async function operationsPage(): Promise<string> {
  const all = [...operations.values()];
  const onInstances = all.filter((one) => one.target === 'instance');
  const onHosts = all.filter((one) => one.target === 'host');
  const [ofInstances, ofHosts] = [await commandsOf('instance'), await commandsOf('host')];
  return [
    '# Operations',
    '',
    '<!-- Made by `npm run docs` from the declarations in workflows/instance and workflows/host. Do not edit. -->',
    '',
    'Every operation is one durable workflow. What holds for all of them (admission, ownership, undoing, cancelling) is told',
    'in [ARCHITECTURE.md](../ARCHITECTURE.md); that it holds at every step is [proven](proof.md). The same texts on the command',
    'line: `drover operation show NAME`; how one is used in a runbook: [runbooks.md](runbooks.md).',
    '',
    '## From which states',
    '',
    ...stateTable(onInstances),
    '',
    'A locked instance refuses all but those that say otherwise below; one that needs repair all but repair and terminate.',
    '',
    '## On instances',
    '',
    ...onInstances.flatMap((one) => section(factsOf(one, ofInstances))),
    '## On hosts',
    '',
    ...onHosts.flatMap((one) => section(factsOf(one, ofHosts))),
    '## What any operation may end with',
    '',
    'Exit codes: 2 wrong input, 3 refused and nothing was changed, 4 out of reach, 1 the work failed, 5 cancelled.',
    '',
    '### On an instance',
    '',
    ...errorTable(generalFacts('instance')),
    '',
    '### On a host',
    '',
    ...errorTable(generalFacts('host')),
    '',
  ].join('\n');
}

function stateTable(listed: readonly InstanceOperation[]): string[] {
  const used = new Set(listed.flatMap((one) => (one.allowedStates === 'any' ? [] : one.allowedStates)));
  const states = instanceStates.filter((state) => used.has(state));
  const rows = listed.map((one) => [
    `[${one.name}](#instance${one.name})`,
    ...states.map((state) => (one.allowedStates === 'any' || one.allowedStates.includes(state) ? 'yes' : '')),
    factsOf(one, []).endsIn,
  ]);
  return markdownTable(['operation', ...states, 'ends in'], rows);
}

function section(facts: OperationFacts): string[] {
  const { key, summary, allowedStates, endsIn, respectsLock, inputs, errors, undone, command } = facts;
  const required = inputs.filter((one) => one.given === 'required').map((one) => `${one.name}: …`);
  const onInstance = key.startsWith('instance.');
  return [
    `### ${key}`,
    '',
    summary,
    '',
    ...(onInstance ? [`- Allowed from ${allowedStates.join(', ')}; ends in: ${endsIn}.`] : []),
    ...(onInstance && !respectsLock ? ['- A locked instance does not refuse it.'] : []),
    `- When it fails or is cancelled: ${undone}`,
    `- Command: ${command === null ? 'none of its own; runbooks use it' : `\`${command}\``}`,
    `- Runbook: \`uses: ${key}\`, \`with: { ${required.join(', ')} }\``,
    '',
    ...inputTable(inputs),
    '',
    ...(errors.length > 0
      ? errorTable(errors)
      : [`It ends with none but the [general errors](#on-${onInstance ? 'an-instance' : 'a-host'}).`]),
    '',
  ];
}

const inputTable = (inputs: readonly InputFact[]): string[] =>
  markdownTable(
    ['input', 'type', 'default', 'what it is'],
    inputs.map(({ name, type, given, about }) => [
      `\`${name}\``,
      type,
      given === 'required' || given === 'not set' ? given : `\`${given}\``,
      about,
    ]),
  );

const errorTable = (errors: readonly ErrorFact[]): string[] =>
  markdownTable(
    ['error', 'exit', 'meaning', 'what to do'],
    errors.map(({ code, exit, meaning, todo }) => [`\`${code}\``, String(exit), meaning, todo]),
  );

function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)];
}
