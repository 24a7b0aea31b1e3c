/** What a resize or a cold migration leaves open until it is confirmed, and who confirms it. */
import { z } from 'zod';
import { parseDuration } from '../../../model/duration.js';
import type { HostRef } from '../../../model/host.js';
import type { Disk, Resized } from '../../../model/instance.js';
import type { InstancePatch, IntentCall } from '../../../model/operation.js';
import type { Ctx } from '../../ctx.js';
import { removal } from './cold-move.js';

const never = 'never';
const pattern = /^(?:never|(?=\d)(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?)$/;

export const confirmAfter = z
  .string()
  .regex(pattern, 'must be a length of time with its unit, such as 90s, 10m or 24h, or never')
  .default('24h')
  .describe('It confirms itself then: 0s at once, never only by hand');

export interface Hold {
  patch: InstancePatch;
  cleanup: IntentCall[];
  /** When it confirms itself; null when it is confirmed at once or only by hand. */
  confirmsInMs: number | null;
}

export interface Size {
  flavor: string | null;
  vcpus: number;
  memoryMiB: number;
}

/** What the instance is once it runs with its new size, or on its new host: what it was is kept until then. */
export function hold(
  ctx: Ctx,
  move: { kind: Resized['kind']; source: HostRef; target: HostRef; copied: Disk[]; after: string } & {
    size?: Size;
  },
): Hold {
  const { id, flavor, vcpus, memoryMiB, disks, state } = ctx.instance;
  const { kind, source, target, copied, after, size = { flavor, vcpus, memoryMiB } } = move;
  const was = state === 'active' ? ('active' as const) : ('stopped' as const);
  const power = was === 'active' ? 'running' : 'shutoff';
  const now = { host: target.name, powerState: power, fault: null, ...size };
  const seconds = after === never ? null : (parseDuration(after) ?? 0);
  if (seconds === 0) {
    const cleanup = copied.map((disk) => removal(id, disk, source));
    return { patch: { ...now, state: was, resized: null }, cleanup, confirmsInMs: null };
  }
  const confirmsAt = seconds === null ? null : new Date(ctx.now() + seconds * 1000).toISOString();
  const resized: Resized = {
    operation: ctx.request.id,
    kind,
    was,
    host: source.name,
    flavor,
    vcpus,
    memoryMiB,
    disks,
    copied: copied.map((disk) => disk.path),
    confirmsAt,
  };
  const confirmsInMs = seconds === null ? null : seconds * 1000;
  return { patch: { ...now, state: 'resized', resized }, cleanup: [], confirmsInMs };
}

/** Registered before the commit: it looks first whether there is anything to confirm, so that too many do no harm. */
export async function confirmLater(ctx: Ctx, { confirmsInMs }: Hold): Promise<void> {
  if (confirmsInMs === null) return;
  const { id: of } = ctx.request;
  await ctx.later(confirmsInMs, 'instance.confirm-resize', { instance: ctx.instance.id, of });
}
