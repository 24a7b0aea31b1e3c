import { DroverError } from '../model/errors.js';
import type { OperationAsk } from '../model/operation.js';
import type { AskHandler, Runtime, Word } from '../workflows/runtime.js';
import type { Handler } from './ending.js';
import { onWire, wired } from './wire.js';

/** What a workflow is asked while it runs, by updates and signals. */
export class Asks {
  /** By the name of the signal or update. */
  readonly handlers = new Map<string, Handler>();
  private waiting = 0;

  /** Nobody waits for an answer. */
  get answered(): boolean {
    return this.waiting === 0;
  }

  serve(name: string, { validate, handle }: AskHandler): void {
    this.handlers.set(name, {
      validate: (ask) => validate(ask as OperationAsk),
      handle: (ask) => handle(ask as OperationAsk),
    });
  }

  hear(take: Parameters<Runtime['hear']>[0]): void {
    this.handlers.set('word', { handle: async (word) => take(word as Word) });
  }

  async ask(
    name: string,
    ask: unknown,
    of: string,
    within: (work: () => Promise<unknown>) => Promise<unknown>,
  ): Promise<unknown> {
    const handler = this.handlers.get(name);
    if (!handler) throw new DroverError('NotFound', `${of} does not take ${name}`);
    handler.validate?.(onWire(ask));
    this.waiting += 1;
    try {
      return onWire(await within(async () => handler.handle(onWire(ask))));
    } catch (error) {
      throw wired(error);
    } finally {
      this.waiting -= 1;
    }
  }
}
