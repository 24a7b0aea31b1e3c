/** What was done to an instance or a host, as a table. */
import type { OperationRecord } from '../model/operation.js';
import { paintState } from './paint.js';
import { oneLine } from './run-lines.js';
import { describeResult, shortId, spanText } from './texts.js';
import type { operationView } from '../client/views.js';

type Done = ReturnType<typeof operationView>;
export const historyColumns = [
  { title: 'STARTED', value: (row: Done) => row.startedAt },
  { title: 'OPERATION', value: (row: Done) => row.operation },
  { title: 'STATE', value: (row: Done) => paintState(row.state) },
  { title: 'TOOK', value: (row: Done) => spanText(row.startedAt, row.endedAt) },
  { title: 'BY', value: (row: Done) => (row.run === null ? row.by : `${row.by}, run ${shortId(row.run)}`) },
  { title: 'RESULT', value: (row: Done) => outcome(row) || null },
];

export function outcome({ error, result, left }: Pick<OperationRecord, 'error' | 'result' | 'left'>): string {
  const said = error === null ? describeResult(result) : oneLine(error.message);
  const more = left.filter((text) => !said.includes(text)).map((text) => `left: ${text}`);
  return [said, ...more].filter((text) => text !== '').join('; ');
}
