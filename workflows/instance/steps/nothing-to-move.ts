import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { Outcome } from '../../define.js';

/**
 * What a move answers when there is nothing to do; null when there is. Whoever listed the instance on a host was
 * overtaken where it is not there any more: it has left, which is what was wanted. Throws NoValidHost for the host that
 * it is on.
 */
export function nothingToMove(
  { from, host }: { from?: string | undefined; host?: string | undefined },
  name: string,
  source: HostRef,
): Outcome | null {
  if (from !== undefined && from !== source.name)
    return { patch: {}, result: { from, to: source.name, note: `it had left ${from} already` } };
  if (host !== source.name) return null;
  throw new DroverError('NoValidHost', `${name} is on ${source.name} already`, {
    hint: 'name another host, or none',
  });
}
