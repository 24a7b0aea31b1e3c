import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * One that begins last and takes minutes would keep the others waiting for it alone. In this order; all others after
 * them. Of the proof its two halves that wait come at the end: by then real hosts leave them more of the machine.
 */
const longest = [
  'proof/operations/part-4',
  'proof/operations/part-2',
  'proof/runs',
  'proof/operations/part-1',
  'proof/operations/part-3',
  'proof/mutants',
  'proof/kill/after',
  'proof/kill/before',
  'scenarios/scenarios',
  'temporal/demo-readme',
  'temporal/demo',
  'temporal/runbook-items',
  'temporal/kernel',
  'lab/kill',
  'lab/operations',
  'lab/scenarios',
  'lab/recover/recover',
  'lab/convergence',
  'lab/drain',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own, of a promise
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return at < 0 ? longest.length : at;
}
