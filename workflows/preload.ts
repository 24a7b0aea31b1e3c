/**
 * Has the modules of the workflows evaluated once a worker, instead of anew for each workflow, which took 11 ms of each.
 * They keep no state but memos of pure functions, so it does not matter who shares them.
 */
import './entry.js';

/* oxlint-disable no-underscore-dangle -- the names are webpack's */
/** webpack's own, in the bundle: all modules, and those that are evaluated. */
declare const __webpack_modules__: Readonly<Record<string, unknown>>;
declare const __webpack_module_cache__: Readonly<Record<string, object | undefined>>;

// The SDK freezes what is shared, all that it can reach, and takes what is frozen for done. A schema of zod must not be: it
// makes its methods when they are first asked for. What is the SDK's own it freezes as ever.
for (const id of Object.keys(__webpack_modules__)) {
  const module = id.includes('@temporalio') ? undefined : __webpack_module_cache__[id];
  if (module !== undefined) Object.freeze(module);
}
