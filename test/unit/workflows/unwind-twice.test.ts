/** Two faults: a step fails, whichever it is, and so does an undo. The cases are those of the proof. */
import { describe, expect, test } from 'vitest';
import { getInstance } from '../../../activities/inventory/instances.js';
import { broken } from '../../proof/invariants.js';
import { rows } from '../../proof/rows.js';
import { heard, Stage, type VirtualTrial } from '../../proof/stage.js';
import { mistold, recordFor } from '../../proof/told.js';
import { no } from './cloud.js';

const operations = ['launch', 'live-migrate', 'pause', 'unpause', 'terminate'].map(
  (name) => `instance.${name}`,
);
const undos = [
  'removeGuest',
  'removeDisk on h1',
  'removeDisk on h2',
  'releaseClaim',
  'undoMigrate',
  'pauseGuest',
  'unpauseGuest',
];
const cases = (await rows())
  .filter(({ operation }) => operations.includes(operation))
  .flatMap((row) => row.cases.map((one) => ({ operation: row.operation, one, title: one.title })));

describe.each(cases)('$operation, $title', ({ operation, one }) => {
  test.each(undos)('and so does %s: it needs repair exactly when something is left', async (undo) => {
    const stage = await Stage.open();
    let steps = Number.POSITIVE_INFINITY;
    for (let at = 1; at <= steps; at += 1) {
      const trial = await stage.setUp(operation, one);
      const handle = stage.ask(trial, { troubles: [no(at, 'after'), no(undo)] });
      const told = heard(await handle.ending);
      steps = handle.calls.length;
      const where = `call ${at}: ${handle.calls[at - 1]}`;
      expect(await wrongAtOnce(trial, told), where).toEqual([]);
      const { place, given } = trial;
      const id = given.instance?.id ?? '';
      const repair = stage.cloud.operation('instance.repair', { instance: id });
      expect(await repair.ending, where).toMatchObject({ end: 'done' });
      expect((await getInstance(place.inventory, id)).needsRepair, where).toBeNull();
      expect(await broken(place, id, given.instance), where).toEqual([]);
    }
    await stage.close();
  });
});

/** Nothing can be said yet of one that could not even close itself. */
async function wrongAtOnce(trial: VirtualTrial, told: string): Promise<string[]> {
  const { place, given } = trial;
  const id = given.instance?.id ?? '';
  const { operation, needsRepair } = await getInstance(place.inventory, id);
  if (operation !== null) return [];
  const record = await recordFor(trial);
  const refused = record?.state === 'refused';
  const asLeft = refused || (needsRepair !== null) === (record?.left ?? []).length > 0;
  return [
    ...(asLeft ? [] : [`left: ${record?.left.join()}; to repair: ${needsRepair}`]),
    ...(await broken(place, id, given.instance)),
    ...mistold(record, told),
  ];
}
