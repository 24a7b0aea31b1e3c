/** Tokens and the audit trail: JSON and times are text, as in all other tables. */
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
