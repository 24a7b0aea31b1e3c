/** One row of the error table (error-table.ts). */
export interface ErrorRow {
  retryable: boolean;
  http: number;
  exit: number;
  meaning: string;
  todo: string;
}

export const row = (
  retryable: boolean,
  http: number,
  exit: number,
  meaning: string,
  todo: string,
): ErrorRow => ({
  retryable,
  http,
  exit,
  meaning,
  todo,
});
