/** Which keys of a step go together: what a mapping by itself can't say. */
import type { FileIssue } from '../../config/yaml-file.js';
import type { PlainStep, Step } from '../../model/runbook.js';
import type { Issues } from './check-with.js';
import type { StepPlace } from './scope.js';
import { isQuery } from './uses.js';

const deeds = ['uses', 'parallel', 'wait'] as const;

interface Rule {
  key: keyof PlainStep;
  /** Whether the key may stand in the step. */
  holds: (step: Step, place: StepPlace) => boolean;
  message: string;
  hint?: string;
}

const needsUses = 'means nothing without uses';

const rules: readonly Rule[] = [
  { key: 'with', holds: ({ uses }) => uses !== undefined, message: needsUses },
  { key: 'for-each', holds: ({ uses }) => uses !== undefined, message: needsUses },
  {
    key: 'for-each',
    holds: ({ uses }) => !isQuery(uses),
    message: 'a query runs once',
    hint: 'to go through what it lists, write for-each: { query: … } in the step that works on the items',
  },
  {
    key: 'max-parallel',
    holds: (step) => step['for-each'] !== undefined,
    message: 'means nothing without for-each',
  },
  {
    key: 'max-failures',
    holds: (step) => step['for-each'] !== undefined,
    message: 'means nothing without for-each',
  },
  {
    key: 'until',
    holds: ({ uses }) => isQuery(uses),
    message: 'is only for a query, which can be asked again',
    hint: 'uses: query.hosts or query.instances, and until: a condition of its result',
  },
  {
    key: 'until',
    holds: ({ timeout }) => timeout !== undefined,
    message: 'needs a timeout beside it, or it could wait for ever',
    hint: 'for example timeout: 10m',
  },
  { key: 'every', holds: ({ until }) => until !== undefined, message: 'means nothing without until' },
  { key: 'retry', holds: ({ uses }) => uses !== undefined, message: needsUses },
  {
    key: 'timeout',
    holds: ({ uses, parallel, wait, approve }) =>
      uses !== undefined || parallel !== undefined || (wait === undefined && approve === undefined),
    message: 'means nothing without uses or parallel',
    hint: 'how long people are waited for is within, in approve; a wait is as long as it says',
  },
  {
    key: 'undo',
    holds: (_, place) => place.in === 'steps' || place.in === 'parallel',
    message: 'what finally and on-failure do is not taken back',
  },
  {
    key: 'undo',
    holds: ({ uses }) => uses !== undefined && !isQuery(uses),
    message: 'there is nothing to take back',
    hint: 'an undo belongs to the step that uses an operation',
  },
];

export function checkShape(place: StepPlace, file: Issues): FileIssue[] {
  const { step, path } = place;
  const told = new Set<string>();
  const broken = rules.filter(({ key, holds }) => {
    if (step[key] === undefined || holds(step, place) || told.has(key)) return false;
    return told.add(key);
  });
  return [
    ...checkDeed(place, file),
    ...broken.map(({ key, message, hint }) => file.issue([...path, key], message, { atKey: true, hint })),
  ];
}

/** A step does one thing: the others are steps of their own. */
function checkDeed({ step, path }: StepPlace, file: Issues): FileIssue[] {
  const [first, ...others] = deeds.filter((key) => step[key] !== undefined);
  if (first === undefined) {
    if (step.approve !== undefined) return [];
    const hint = 'give it one of uses, parallel, wait or approve';
    return [file.issue(path, `the step "${step.id}" does nothing`, { hint })];
  }
  return others.map((key) => {
    const hint =
      key === 'parallel'
        ? `put what ${first} does into a branch of parallel, or into a step of its own`
        : 'put it into a step of its own, before or after this one';
    return file.issue([...path, key], `"${first}" and "${key}" do not go into one step`, {
      atKey: true,
      hint,
    });
  });
}
