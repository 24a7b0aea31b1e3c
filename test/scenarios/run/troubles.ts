/** What goes wrong at a call, as the virtual-time runtime takes it. */
import type { Trouble } from '../../../virtual/trouble.js';
import { msOf, type ScenarioTrouble } from './scenario.js';
import { strike, type Stage } from './stage.js';

export function troublesOf(stage: Stage, troubles: readonly ScenarioTrouble[], called: string): Trouble[] {
  return troubles.map((trouble) => {
    const { call, when, fault, stall, cancel, terminate } = trouble;
    const says = wordsOf(trouble);
    return {
      at: call,
      when,
      lose: trouble['lose-answer'],
      crash: trouble['kill-worker'],
      cancel,
      terminate,
      act: async () => {
        const { cloud, started } = stage;
        if (says) cloud.log.add('world', called, `${when} ${call}: ${says}`);
        if (fault) await strike(stage, fault);
        const lost = trouble['lose-local-disks'];
        if (lost) {
          const store = `local/${lost}`;
          await cloud.datacenter.transact((tx) => tx.run('delete from files where store = ?', store));
        }
        if (trouble.reset) started.get(called)?.reset();
        if (stall !== undefined) await cloud.clock.sleep(msOf(stall));
      },
    };
  });
}

/** What the log says happens; a fault of the datacenter says it itself. */
function wordsOf({ stall, cancel, terminate, reset, ...trouble }: ScenarioTrouble): string {
  return [
    ...(trouble['lose-local-disks'] ? [`the disks on ${trouble['lose-local-disks']} are gone`] : []),
    ...(trouble['lose-answer'] ? ['the answer is lost'] : []),
    ...(trouble['kill-worker'] ? ['its worker is killed'] : []),
    ...(cancel ? ['it is cancelled'] : []),
    ...(terminate ? ['its workflow is terminated'] : []),
    ...(reset ? ['its workflow is reset'] : []),
    ...(stall === undefined ? [] : [`the worker stands still for ${stall}`]),
  ].join(', ');
}
