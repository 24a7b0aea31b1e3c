import { z } from 'zod';
import { durationSchema, parseDuration } from '../model/duration.js';

/** Inputs that operations share, so that they read the same everywhere. */
export const instanceRef = z.object({ instance: z.string().min(1).describe('Name or id of the instance') });
export const hostRefInput = z.object({ host: z.string().min(1).describe('Name of the host') });

export const grace = (seconds: string) =>
  durationSchema
    .default(seconds)
    .describe('How long the guest may take before force is used, for example 60s');

export const storageInput = z
  .enum(['any', 'shared'])
  .optional()
  .describe(
    'shared: only to a host with the shared stores in which its disks are; otherwise they are copied',
  );

/** Seconds of a duration that its schema has checked. */
export const seconds = (duration: string): number => parseDuration(duration) ?? 0;
