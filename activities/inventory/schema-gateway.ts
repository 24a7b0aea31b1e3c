/** The tables of the gateway: JSON and times are text, as in all others. */
import type { Generated } from 'kysely';
import type { Request } from '../../model/operation.js';

export interface TokensTable {
  id: string;
  name: string;
  role: Request['role'];
  /** sha256 of the secret, in hex: the secret itself is shown once and kept nowhere. */
  hash: string;
  /** JSON of the names of the runbooks that it may start; null for all that its role may. */
  runbooks: string | null;
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
  revoked_by: string | null;
  last_used_at: string | null;
}

/** Everything that changed anything. Each line's hash covers it and the hash of the one before. */
export interface AuditTrailTable {
  seq: number;
  at: string;
  by: string;
  role: Request['role'];
  via: 'cli' | 'api' | 'alert' | 'schedule';
  action: string;
  subject: string;
  /** `done`, or the code of the error that refused it. */
  outcome: string;
  details: string;
  previous: string;
  hash: string;
}

/** What a request with an Idempotency-Key was answered; `status` is null while it is worked on. */
export interface IdempotencyKeysTable {
  key: string;
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
  /** Also where it was given up: then `error` says why. */
  sent_at: string | null;
}
