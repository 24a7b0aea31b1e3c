import { findRun } from '../client/runs.js';
import type { Context } from './context.js';

/** The argument that names a run. */
export const named = ['<run>', 'id of the run, or its first characters (at least 4)'] as const;

/** A run that no worker has taken up yet is not in the inventory: then the id must be the whole one. */
export const idOf = async (context: Context, id: string): Promise<string> =>
  (await findRun(context, id))?.id ?? id;
