/** Tables of the gateway's answers and of notices: JSON and times are text, as in all others. */
import type { Generated } from 'kysely';
import type { NoticeEvent } from '../../model/notice.js';

/** What a request with an Idempotency-Key was answered; `status` is null while it is worked on. */
export interface IdempotencyKeysTable {
  key: string;
  /** The id of the token that sent it: keys of others are others. */
  token: string;
  /** sha256 of method, path and body, in hex. */
  request: string;
  status: number | null;
  body: string | null;
  created_at: string;
}

/** What is told to one receiver: found in the records, sent later, again and again. */
export interface NoticesTable {
  id: string;
  receiver: string;
  event: NoticeEvent;
  subject: string;
  body: string;
  attempts: Generated<number>;
  /** Null where it is not tried any more: it was taken, or given up; then `error` says why. */
  next_at: string | null;
  error: string | null;
  created_at: string;
  sent_at: string | null;
}

/** Receivers, and since when: what happened before is not told. */
export interface NoticeReceiversTable {
  name: string;
  since: string;
}
