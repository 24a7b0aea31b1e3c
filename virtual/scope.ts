import { AsyncLocalStorage } from 'node:async_hooks';

/** What can be cancelled apart: of a workflow (the outermost), of a part of it, or a shield, which nothing reaches. */
export class Scope<Run> {
  private asked = false;
  private readonly hooks = new Set<() => void>();

  constructor(
    readonly run: Run,
    around: Scope<Run> | null = null,
  ) {
    if (around?.cancelled) this.asked = true;
    else this.leave = around?.onCancel(() => this.cancel()) ?? this.leave;
  }

  /** To be called when its work has ended: the scope around it may live on for long. */
  leave: () => void = () => undefined;

  get cancelled(): boolean {
    return this.asked;
  }

  cancel(): void {
    if (this.asked) return;
    this.asked = true;
    for (const hook of this.hooks) hook();
    this.hooks.clear();
  }

  /** What it answers forgets the hook. */
  onCancel(hook: () => void): () => void {
    this.hooks.add(hook);
    return () => this.hooks.delete(hook);
  }
}

/** The innermost scope of the workflow that runs. */
export class Scopes<Run> {
  private readonly storage = new AsyncLocalStorage<Scope<Run>>();

  get current(): Scope<Run> | undefined {
    return this.storage.getStore();
  }

  within<T>(scope: Scope<Run>, work: () => T): T {
    return this.storage.run(scope, work);
  }

  outside<T>(work: () => T): T {
    return this.storage.exit(work);
  }
}
