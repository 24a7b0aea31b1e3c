import { DroverError } from '../model/errors.js';

/** As it arrives on the other side: JSON. */
export const onWire = <T>(value: T): T =>
  value === undefined || value === null ? value : (JSON.parse(JSON.stringify(value)) as T);

/** An error as a workflow gets it from an activity or a child. */
export function wired(error: unknown): DroverError {
  if (!(error instanceof DroverError))
    return new DroverError('Internal', `bug: ${String(error)}`, { cause: error });
  const { code, message, details, hint } = error;
  return new DroverError(code, message, { details: onWire(details), hint });
}

export const cancelled = (what: string): DroverError => new DroverError('Cancelled', `${what} was cancelled`);
