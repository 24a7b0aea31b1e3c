/** Tables of the gateway's answers and of notices: JSON and times are text, as in all others. */
import type { Generated } from 'kysely';

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

/** What is to be told to a receiver: written with what happened, sent later, again and again. */
export interface NoticesTable {
  id: string;
  receiver: string;
  event: string;
  subject: string;
  body: string;
  attempts: Generated<number>;
  next_at: string | null;
  error: string | null;
  created_at: string;
  /** Also when it was given up: then `error` says why. */
  sent_at: string | null;
}
