/** Random runbooks with every key of the language, for small worlds: hosts host-1…3, instances vm-1…5. */
import * as fc from 'fast-check';

export type Tree = Record<string, unknown>;

const instance = fc.integer({ min: 1, max: 5 }).map((number) => `vm-${number}`);
const host = fc.integer({ min: 1, max: 3 }).map((number) => `host-${number}`);
const seconds = (min: number, max: number) => fc.integer({ min, max }).map((number) => `${number}s`);
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 3) => fc.option(arbitrary, { nil: undefined, freq });

/** What takes each operation back. */
const inverses: Record<string, string> = {
  'instance.pause': 'instance.unpause',
  'instance.unpause': 'instance.pause',
  'instance.stop': 'instance.start',
  'instance.start': 'instance.stop',
};
const onInstances = fc.constantFrom(...Object.keys(inverses));

const loop = fc.oneof(
  fc
    .array(instance, { minLength: 1, maxLength: 6 })
    .map((list) => ({ 'for-each': list, item: '${{ item }}' })),
  fc
    .record({ host: maybe(host), state: maybe(fc.constantFrom('active', 'paused', 'stopped')) })
    .map((by) => ({ 'for-each': { query: 'instances', with: clean(by) }, item: '${{ item.id }}' })),
);
const limits = fc.record({
  'max-parallel': maybe(fc.constantFrom<unknown>(1, 2, 3, '${{ 1 + 1 }}'), 1),
  'max-failures': maybe(fc.constantFrom<unknown>(0, 1, 2, '20%', '50%', '100%'), 1),
});

/** `undo`: each operation has one. */
const onItems = (undo: boolean) =>
  fc.tuple(onInstances, loop, limits, fc.boolean()).map(([uses, { item, ...each }, limit, back]): Tree => ({
    uses,
    ...each,
    ...clean(limit),
    with: { instance: item },
    ...(undo || back ? { undo: { uses: inverses[uses], with: { instance: item } } } : {}),
  }));
const onOne = (undo: boolean) =>
  fc.tuple(onInstances, instance, fc.boolean()).map(([uses, name, back]): Tree => ({
    uses,
    with: { instance: name },
    ...(undo || back ? { undo: { uses: inverses[uses], with: { instance: name } } } : {}),
  }));
const onHost = host.map((name): Tree => ({ uses: 'host.disable', with: { host: name, reason: 'property' } }));
const hostWithUndo = host.map((name): Tree => ({
  uses: 'host.disable',
  with: { host: name, reason: 'property' },
  undo: { uses: 'host.enable', with: { host: name }, if: 'steps.SELF.result.was.enabled' },
}));
const rest = seconds(1, 20).map((wait): Tree => ({ wait }));
const look = fc
  .tuple(fc.constantFrom('result.size() > 0', 'result.size() > 99'), seconds(1, 30))
  .map(([until, timeout]): Tree => ({
    uses: 'query.instances',
    until,
    every: '2s',
    timeout,
    outputs: { found: '${{ result.size() }}' },
  }));
const gate = fc
  .record({
    within: seconds(1, 15),
    otherwise: fc.constantFrom('approve', 'reject'),
    count: fc.constantFrom(1, 2),
  })
  .map((approve): Tree => ({ approve }));
const below = fc.constant<Tree>({ uses: 'runbook.below', with: { instance: 'vm-1' } });

const retry = fc
  .record({
    attempts: fc.integer({ min: 2, max: 4 }),
    backoff: seconds(1, 10),
    factor: fc.constantFrom(1, 2, 3),
    'max-backoff': seconds(10, 20),
    // What a small world refuses most often is not tried again unless it is named.
    on: maybe(fc.constantFrom(['WrongState'], ['WrongState', 'InstanceLocked', 'TimedOut']), 2),
  })
  .map(clean);
const error = "error.message != ''";

const keys = (kinds: fc.Arbitrary<Tree>) =>
  fc
    .tuple(
      kinds,
      fc.record({
        if: maybe(fc.constantFrom<unknown>(true, false, 'PREVIOUS'), 5),
        retry: maybe(retry),
        timeout: maybe(seconds(1, 40), 4),
        'continue-on-error': maybe(fc.boolean(), 2),
        name: maybe(fc.constant('A step of ${{ run.id }}'), 5),
      }),
    )
    .map(([kind, more]): Tree => fitting({ ...clean(more), ...kind }));

/** What may not stand together. */
function fitting(step: Tree): Tree {
  const { retry: _, timeout: __, ...plain } = step;
  if ('approve' in step && !('uses' in step)) return plain;
  if ('wait' in step) return plain;
  if ('parallel' in step) return clean({ ...step, retry: undefined });
  return step;
}

const forward = fc.oneof(
  { weight: 5, arbitrary: onItems(false) },
  { weight: 3, arbitrary: onOne(false) },
  { weight: 1, arbitrary: onHost },
  { weight: 1, arbitrary: hostWithUndo },
  { weight: 1, arbitrary: rest },
  { weight: 1, arbitrary: look },
);
const plain = keys(forward);
const withGates = keys(
  fc.oneof(
    { weight: 12, arbitrary: forward },
    { weight: 1, arbitrary: gate },
    { weight: 1, arbitrary: below },
  ),
);
const parallel = fc
  .array(plain, { minLength: 2, maxLength: 3 })
  .chain((branches) => keys(fc.constant<Tree>({ parallel: branches })));
const step = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: withGates }, { weight: 1, arbitrary: parallel }),
    maybe(fc.array(plain, { minLength: 1, maxLength: 2 }), 4),
  )
  .map(([one, failure]): Tree => (failure === undefined ? one : { ...one, 'on-failure': failure }));

const few = fc.array(plain, { minLength: 1, maxLength: 2 });

/** Anything that the language allows. */
export const anyRunbook = fc
  .record({
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
    'on-failure': maybe(few),
    finally: maybe(few, 2),
    concurrency: maybe(fc.constant('one'), 4),
  })
  .map((tree) => numbered(clean(tree)));

/** Operations of which each has its undo, none of which fails. */
export const undoneRunbook = fc
  .record({
    steps: fc.array(
      fc
        .oneof(
          onItems(true),
          onOne(true),
          hostWithUndo,
          rest,
          fc
            .array(fc.oneof(onItems(true), hostWithUndo), { minLength: 2, maxLength: 3 })
            .map((branches) => ({ parallel: branches })),
        )
        .map((one): Tree => ({ ...one, 'continue-on-error': true })),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(numbered);

/** The runbook that others use. */
export const belowRunbook: Tree = {
  name: 'below',
  description: 'Used by others.',
  inputs: { instance: { type: 'instance' } },
  steps: [
    {
      id: 'pause',
      uses: 'instance.pause',
      with: { instance: '${{ inputs.instance }}' },
      'continue-on-error': true,
    },
    { id: 'unpause', uses: 'instance.unpause', with: { instance: '${{ inputs.instance }}' } },
  ],
  outputs: { paused: '${{ steps.pause.done }}' },
};

function clean(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== undefined));
}

/** Every step gets its id; conditions speak of the step of the run before it, or of the error. */
function numbered(tree: Tree): Tree {
  let count = 0;
  let previous: string | null = null;
  const give = (steps: unknown, within: 'steps' | 'failure' | 'finally' | 'parallel'): Tree[] =>
    (steps as Tree[]).map((one) => {
      count += 1;
      const id = `s${count}`;
      const { parallel: branches, 'on-failure': failure, undo, ...more } = one;
      const back = undo !== undefined && (within === 'steps' || within === 'parallel') ? { undo } : {};
      const condition =
        one['if'] === 'PREVIOUS'
          ? within === 'failure'
            ? error
            : previous === null
              ? 'true'
              : `steps.${previous}.state == 'succeeded'`
          : one['if'];
      const made = {
        id,
        ...JSON.parse(JSON.stringify({ ...more, ...back }).replaceAll('SELF', id)),
        ...(condition === undefined ? {} : { if: condition }),
        ...(branches === undefined ? {} : { parallel: give(branches, 'parallel') }),
        ...(failure === undefined ? {} : { 'on-failure': give(failure, 'failure') }),
      } as Tree;
      if (within === 'steps') previous = id;
      return made;
    });
  const { steps, 'on-failure': failure, finally: last, ...more } = tree;
  return {
    name: 'random',
    description: 'Made by chance.',
    ...more,
    steps: give(steps, 'steps'),
    ...(failure === undefined ? {} : { 'on-failure': give(failure, 'failure') }),
    ...(last === undefined ? {} : { finally: give(last, 'finally') }),
  };
}
