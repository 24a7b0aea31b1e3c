/** The table of the gateway's answers: JSON and times are text, as in all others. */
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
