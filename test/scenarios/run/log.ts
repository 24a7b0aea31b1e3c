/** The course of a scenario in lines: a number, the virtual time since the beginning, who, and what. */
import type { Stage } from './stage.js';

export function logOf({ cloud: { log }, scenario: { show } }: Stage): string[] {
  return log.events
    .filter(({ kind, who }) => show.includes(kind) && !isRoutine(kind, who))
    .map(({ at, kind, who, what }, index) => {
      const time = `+${(at / 1000).toFixed(1)}s`;
      const word = kind === 'world' || kind === 'state' ? '' : `${kind} `;
      return `${String(index + 1).padStart(4)} ${time.padStart(9)} ${log.told(who)}: ${word}${log.told(what)}`.trimEnd();
    });
}

/** The janitor looks every 30 s; what it finds to repair is an operation of its own. */
const isRoutine = (kind: string, who: string): boolean => who.startsWith('janitor') && kind !== 'fault';
