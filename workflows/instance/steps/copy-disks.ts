import type { HostRef } from '../../../model/host.js';
import type { Disk } from '../../../model/instance.js';
import { intent, type Ctx } from '../../ctx.js';

interface Copying {
  local: Disk[];
  target: HostRef;
  replaces: boolean;
}

/** An export ends by itself after this long, whatever became of whoever asked for it. */
const exportSeconds = 12 * 3600;

/** Finds out before the guest is stopped whether its disks may come, and registers how to remove them. */
export async function reserveDisks(ctx: Ctx, { local, target, replaces }: Copying): Promise<void> {
  const instance = ctx.instance.id;
  for (const { path } of local) {
    const what = { instance, path };
    const says = `the half copied disk ${path} on ${target.name}`;
    await ctx.call(
      'checkImport',
      { ...what, replaces },
      {
        on: target,
        undo: replaces
          ? intent('dropImport', what, says, target)
          : intent('removeDisk', { ...what, onlyIfMade: true }, says, target),
      },
    );
  }
}

/** Copies the disks of a guest that is off from worker to worker; answers the bytes that went over. */
export async function copyDisks(
  ctx: Ctx,
  { local, source, target, replaces }: Copying & { source: HostRef },
) {
  const instance = ctx.instance.id;
  let transferred = 0;
  for (const { path, format } of local) {
    const copy = { instance, export: ctx.id() };
    ctx.phase('copying', `${path} from ${source.name} to ${target.name}`);
    const { address, port, bytes } = await ctx.call(
      'exportDisk',
      { ...copy, path, format, uri: source.uri, seconds: exportSeconds },
      {
        on: source,
        undo: intent('unexportDisk', copy, `the export of ${path} on ${source.name}`, source),
      },
    );
    const from = { host: source.name, address, port };
    const done = await ctx.call(
      'importDisk',
      { ...copy, path, format, bytes, from, replaces },
      { on: target },
    );
    transferred += done.bytes;
    await ctx.call('unexportDisk', copy, { on: source });
  }
  return transferred;
}
