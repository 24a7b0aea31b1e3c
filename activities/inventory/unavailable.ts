import { DroverError } from '../../model/errors.js';

/** `told`: which inventory, as people know it. */
export function unavailable(told: string, why: string, hint: string, cause?: unknown): DroverError {
  return new DroverError('InventoryUnavailable', `the inventory ${told} does not answer: ${why}`, {
    details: { inventory: told },
    hint,
    cause,
  });
}
