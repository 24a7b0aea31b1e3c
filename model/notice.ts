/** What receivers are told of: by webhook, signed, at least once. */

export const noticeEvents = [
  'run-started',
  'approval-needed',
  'run-done',
  'run-failed',
  'run-cancelled',
  'incident-opened',
  'incident-asks',
  'incident-closed',
] as const;
export type NoticeEvent = (typeof noticeEvents)[number];

/** Something that happened, before it is known whom to tell. */
export interface Happened {
  event: NoticeEvent;
  /** RFC 3339. */
  at: string;
  subject: { type: 'run' | 'incident'; id: string; name: string };
  state: string;
  /** A sentence. */
  says: string;
  by: string;
  /** Of several of one kind about one subject: which. */
  occurrence: string;
  workflowId: string;
  /** What to type, to look or to answer. */
  command: string;
}

/** The body that is posted. Keys are only ever added. */
export interface NoticeBody extends Omit<Happened, 'occurrence' | 'workflowId'> {
  /** The same for each attempt, and for each receiver another. */
  id: string;
  cloud: string;
  /** The page in the Temporal UI; null where its address is not known. */
  url: string | null;
}

export interface Receiver {
  name: string;
  url: string;
  /** Where its secret is: `env:NAME` or `file:/path`. */
  secret: string;
  events: readonly NoticeEvent[];
  /** Only of these runbooks, and no incidents; null for all. */
  runbooks: readonly string[] | null;
  timeoutMs: number;
}

/** One notice for one receiver, as it stands. */
export interface Notice {
  id: string;
  receiver: string;
  event: NoticeEvent;
  subject: string;
  body: string;
  attempts: number;
  /** When it is tried next; null where it is not any more. */
  nextAt: string | null;
  error: string | null;
  createdAt: string;
  /** When it was taken, with an answer of 2xx. */
  sentAt: string | null;
}
