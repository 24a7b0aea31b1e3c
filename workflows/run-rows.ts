/** How items ended: counted in the step, and written as rows; the step keeps the first that are not done. */
import type { ErrorRecord } from '../model/errors.js';
import { recordItem, type RunItemRecord, type RunStepRecord } from '../model/run.js';
import { isFirstLanguage, type Run, type Work } from './run-state.js';

/** So many items that are not done stay in the record of a step. */
export const keptItems = 100;

/** A call records so many items at most, and no more than about so many characters. */
const rowsAtOnce = 50;
const charactersAtOnce = 250_000;
/** Items that never started are short. */
const notStartedAtOnce = 500;

export class Rows {
  private waiting: { item: RunItemRecord; attempt: number }[] = [];
  private characters = 0;

  constructor(private readonly work: Pick<Work, 'run' | 'step' | 'record' | 'rt'>) {}

  /** Counts an item that ended. */
  async add(ended: RunItemRecord, attempt: number): Promise<void> {
    const { run, record } = this.work;
    const item = count(run, record, ended);
    if (isFirstLanguage(run)) return;
    this.waiting.push({ item, attempt });
    this.characters += JSON.stringify(item).length;
    if (this.waiting.length >= rowsAtOnce || this.characters >= charactersAtOnce) await this.flush();
  }

  /** What is written is written, whatever is cancelled meanwhile. */
  async flush(): Promise<void> {
    const { waiting } = this;
    this.waiting = [];
    this.characters = 0;
    for (const attempt of new Set(waiting.map((row) => row.attempt))) {
      const items = waiting.filter((row) => row.attempt === attempt).map(({ item }) => item);
      await this.write(items, attempt);
    }
  }

  /** Items that nobody got to are no failures: they are told, not counted. */
  async neverStarted(targets: readonly { key: string; label: string }[]): Promise<void> {
    const { run, record } = this.work;
    const items = targets.map(({ key, label }): RunItemRecord => ({
      key,
      label,
      state: 'not-started',
      error: null,
      result: null,
    }));
    for (const item of items) keep(run, record, item);
    if (isFirstLanguage(run)) return;
    for (let from = 0; from < items.length; from += notStartedAtOnce) {
      await this.write(items.slice(from, from + notStartedAtOnce), 1);
    }
  }

  private async write(items: RunItemRecord[], attempt: number): Promise<void> {
    const { run, step, rt } = this.work;
    await rt.shielded(() => rt.activity('recordItems', { run: run.order.id, step: step.id, attempt, items }));
  }
}

/** Counts an item and keeps it, where it is to be kept; answers it without what is too large for a record. */
export function count(run: Run, record: RunStepRecord, ended: RunItemRecord): RunItemRecord {
  if (isFirstLanguage(run)) {
    recordItem(record, ended);
    return ended;
  }
  const item = brief(ended);
  if (item.state === 'done') record.done += 1;
  else if (item.state === 'refused') record.refused += 1;
  else record.failed += 1;
  if (item.state !== 'done') keep(run, record, item);
  return item;
}

/** The one item of a step without for-each stays in its record, with what it answered. */
export function countOnly(run: Run, record: RunStepRecord, ended: RunItemRecord): void {
  const item = count(run, record, ended);
  if (!isFirstLanguage(run)) record.items = [item];
}

function keep(run: Run, record: RunStepRecord, item: RunItemRecord): void {
  if (isFirstLanguage(run) || record.items.length < keptItems) record.items.push(item);
}

const longestMessage = 2000;
const largestDetails = 4000;
const largestResult = 50_000;

function brief(item: RunItemRecord): RunItemRecord {
  const tooLarge = item.result !== null && JSON.stringify(item.result).length > largestResult;
  return {
    ...item,
    error: item.error && briefError(item.error),
    result: tooLarge ? { note: 'too large for the record' } : item.result,
  };
}

/** The reasons of a thousand hosts are in the record of the operation. */
export function briefError(error: ErrorRecord): ErrorRecord {
  const tooLarge = JSON.stringify(error.details).length > largestDetails;
  const message =
    error.message.length > longestMessage ? `${error.message.slice(0, longestMessage)} …` : error.message;
  return { ...error, message, details: tooLarge ? {} : error.details };
}
