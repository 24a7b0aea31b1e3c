/** Every operation of the catalogue with its cases, by construction: one file each in `cases/`, and none beside. */
import { readdirSync } from 'node:fs';
import { z } from 'zod';
import { operations } from '../../workflows/catalogue.js';
import type { Case } from './case.js';

export interface Row {
  operation: string;
  cases: Case[];
}

const folder = new URL('./cases/', import.meta.url);
const isCases = z.object({ cases: z.array(z.custom<Case>()).min(1) });

export async function rows(): Promise<Row[]> {
  const files = new Set(readdirSync(folder));
  return Promise.all(
    wanted().map(async (operation) => {
      if (!files.has(`${operation}.ts`)) throw new Error(missing(operation));
      const { cases } = isCases.parse(await import(new URL(`${operation}.ts`, folder).href));
      return { operation, cases };
    }),
  );
}

const wanted = (): string[] => [...operations.keys()].toSorted();

const missing = (operation: string): string =>
  `${operation} has no row in the proof: write test/proof/cases/${operation}.ts, which exports its \`cases\``;

/** Sentences of what the folder lacks, or has too much. */
export function unmatched(): string[] {
  const files = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''));
  const names = wanted();
  return [
    ...names.filter((name) => !files.includes(name)).map(missing),
    ...files
      .filter((file) => !names.includes(file))
      .map((file) => `test/proof/cases/${file}.ts is of no operation of the catalogue`),
  ];
}
