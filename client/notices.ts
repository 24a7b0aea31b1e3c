/** What people do with notices: see what waits, try a receiver, send one again. */
import { randomUUID } from 'node:crypto';
import { listNotices, retryNotice } from '../activities/inventory/notices.js';
import { didYouMean } from '../model/did-you-mean.js';
import { DroverError } from '../model/errors.js';
import type { Notice, NoticeBody, Receiver } from '../model/notice.js';
import { post } from '../config/webhook.js';
import type { Caller } from './caller.js';
import { mayOperate } from './permissions.js';
import { recorded } from './trail.js';

export const listWaiting = (
  { inventory }: Caller,
  by: { all?: boolean; limit?: number },
): Promise<Notice[]> => listNotices(inventory, by);

/** Posts one that tells of nothing, from here; null where it was taken, else why not. */
export async function tryReceiver(
  { cloud, identity, inventory }: Caller,
  receivers: readonly Receiver[],
  name: string,
): Promise<string | null> {
  const receiver = receivers.find((one) => one.name === name);
  if (receiver === undefined) {
    const names = receivers.map((one) => one.name);
    const meant = didYouMean(name, names);
    throw new DroverError('NotFound', `drover.yaml names no receiver "${name}"`, {
      hint: meant === undefined ? `it names ${names.join(', ') || 'none'}` : `did you mean "${meant}"?`,
    });
  }
  const id = randomUUID().replaceAll('-', '');
  const body: NoticeBody = {
    id,
    event: 'run-done',
    at: inventory.now(),
    subject: { type: 'run', id: 'test', name: 'test' },
    state: 'succeeded',
    says: `${identity.name} tries this receiver: nothing happened`,
    by: identity.name,
    cloud,
    url: null,
    command: `drover notification test ${name}`,
  };
  return post(receiver, { id, event: 'run-done', body: JSON.stringify(body) }, process.env);
}

/** Throws PermissionDenied, NotFound. */
export const sendAgain = (caller: Caller, id: string): Promise<Notice> =>
  recorded(caller, { action: 'notification.retry', subject: id }, async () => {
    mayOperate(caller);
    return retryNotice(caller.inventory, id);
  });
