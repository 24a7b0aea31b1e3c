/** Runbooks over the operations, small, and each with another part of the language. */
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';
import type { Ended, Place } from '../case.js';
import { adopt } from '../place.js';
import type { RunCaseName } from './names.js';

export interface RunGiven {
  plan: FrozenRunbook;
  inputs: Record<string, unknown>;
  /** What each is when all went well. */
  instances: Record<string, Ended>;
}

type Steps = Record<string, unknown>[];

function frozen(
  name: string,
  steps: Steps,
  more: Record<string, unknown> = {},
  runbooks: Record<string, FrozenRunbook> = {},
): FrozenRunbook {
  const runbook = runbookSchema.parse({ name, description: 'Swept.', steps, ...more });
  return { language: LANGUAGE_VERSION, name, digest: '0'.repeat(64), source: 'proof', runbook, runbooks };
}

const some = (place: Place, count: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) => adopt(place, { name: `${place.name}-${index + 1}` })),
  );

const all = (ids: string[], end: Ended): Record<string, Ended> =>
  Object.fromEntries(ids.map((id) => [id, end]));

const inputs = { instances: { type: 'list', default: [] } };
const each = { 'for-each': '${{ inputs.instances }}', with: { instance: '${{ item }}' } };

export const runCases: Record<RunCaseName, (place: Place) => Promise<RunGiven>> = {
  /** for-each, retry, undo, finally. */
  async move(place) {
    const [from, to, own] = place.hosts;
    const ids = await some(place, 2);
    const host = { host: own.name };
    const moved = (name: string) => ({
      uses: 'instance.live-migrate',
      with: { instance: '${{ item }}', host: name },
    });
    const steps = [
      {
        id: 'off',
        uses: 'host.disable',
        with: { ...host, reason: 'swept' },
        undo: { uses: 'host.enable', with: host },
      },
      {
        id: 'move',
        ...each,
        ...moved(to.name),
        'max-parallel': 2,
        retry: { attempts: 2, backoff: '1s' },
        undo: moved(from.name),
      },
    ];
    const ends = { finally: [{ id: 'on', uses: 'host.enable', with: host }], inputs };
    return {
      plan: frozen('move', steps, ends),
      inputs: { instances: ids },
      instances: all(ids, { state: 'active', host: to }),
    };
  },

  /** parallel, conditions, what is done when a step fails. */
  async together(place) {
    const [one = '', other = ''] = await some(place, 2);
    const steps = [
      {
        id: 'both',
        parallel: [
          { id: 'stop', uses: 'instance.stop', with: { instance: one } },
          { id: 'pause', uses: 'instance.pause', with: { instance: other } },
        ],
      },
      {
        id: 'again',
        uses: 'instance.unpause',
        with: { instance: other },
        if: "steps.pause.state == 'succeeded'",
      },
    ];
    const [host] = place.hosts;
    return {
      plan: frozen('together', steps, { 'on-failure': [{ id: 'look', uses: 'query.hosts' }], inputs }),
      inputs: {},
      instances: { [one]: { state: 'stopped', host }, [other]: { state: 'active', host } },
    };
  },

  /** Runs within the run, and one at a time by their key. */
  async within(place) {
    const ids = await some(place, 2);
    const input = { instance: { type: 'string' } };
    const at = { with: { instance: '${{ inputs.instance }}' } };
    const inner = frozen(
      'inner',
      [
        { id: 'stop', uses: 'instance.stop', ...at },
        { id: 'start', uses: 'instance.start', ...at },
      ],
      { inputs: input },
    );
    const steps = [{ id: 'inner', uses: 'runbook.inner', ...each, 'max-parallel': 2 }];
    return {
      plan: frozen('within', steps, { inputs, concurrency: `within-${place.name}` }, { inner }),
      inputs: { instances: ids },
      instances: all(ids, { state: 'active', host: place.hosts[0] }),
    };
  },

  /** Approval, waiting, and a step that may fail. */
  async asked(place) {
    const [id = ''] = await some(place, 1);
    const steps = [
      { id: 'gate', approve: { message: 'now?', within: '2s', otherwise: 'approve' } },
      { id: 'rest', wait: '1s' },
      { id: 'none', uses: 'instance.start', with: { instance: id }, 'continue-on-error': true },
      { id: 'pause', uses: 'instance.pause', with: { instance: id }, timeout: '10m' },
    ];
    return {
      plan: frozen('asked', steps, { inputs }),
      inputs: {},
      instances: { [id]: { state: 'paused', host: place.hosts[0] } },
    };
  },

  /** So many items, with so many attempts each, that they are worked on in batches. */
  async batch(place) {
    const ids = await some(place, 18);
    const steps = [
      {
        id: 'pause',
        uses: 'instance.pause',
        ...each,
        'max-parallel': 9,
        retry: { attempts: 20, backoff: '1s' },
      },
    ];
    return {
      plan: frozen('batch', steps, { inputs }),
      inputs: { instances: ids },
      instances: all(ids, { state: 'paused', host: place.hosts[0] }),
    };
  },
};
