/** Posts to a receiver that drover.yaml names, signed with its secret. */
import { createHmac } from 'node:crypto';
import type { Notice, Receiver } from '../model/notice.js';
import { resolveSecret } from './secrets.js';

/** Null where it was taken, else a sentence that holds no secret. */
export async function post(
  { url, secret, timeoutMs }: Receiver,
  { id, event, body }: Pick<Notice, 'id' | 'event' | 'body'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  try {
    const key = await resolveSecret(secret, env);
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', key).update(`${time}.${body}`).digest('hex');
    const response = await fetch(url, {
      method: 'POST',
      // Whoever answers with another place is not who the secret is shared with.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'drover',
        'x-drover-event': event,
        'x-drover-delivery': id,
        'x-drover-signature': `t=${time},v1=${signature}`,
      },
      body,
    });
    // Its body is of no interest, and may never end.
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    if (!(error instanceof Error)) return 'it could not be reached';
    if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}
