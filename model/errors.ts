import { errorTable } from './error-table.js';

export type ErrorCode = keyof typeof errorTable;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}

/** The stable shape of an error in JSON output, in records and in Temporal failure details. */
export interface ErrorRecord {
  code: ErrorCode;
  message: string;
  details: Record<string, unknown>;
  hint: string;
}

/** The one typed error: drivers, activities and the command line throw nothing else on purpose. */
export class DroverError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly hint: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DroverError';
    this.code = code;
    this.details = options.details ?? {};
    this.hint = options.hint ?? errorTable[code].todo;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  toRecord(): ErrorRecord {
    return { code: this.code, message: this.message, details: this.details, hint: this.hint };
  }
}
