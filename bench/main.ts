/** `npm run bench -- NAME…`: results to stdout, one JSON object a line; progress to stderr. */
import { DroverError } from '../model/errors.js';
import { Session } from './session.js';

/** Each loads only what it needs, when it is asked for. Minutes: then it is ended. */
const benches: Record<string, { minutes: number; load: () => Promise<(session: Session) => Promise<void>> }> =
  {
    'live-migrate': { minutes: 5, load: async () => (await import('./migrate.js')).liveMigrate },
    'block-migrate': { minutes: 6, load: async () => (await import('./migrate.js')).blockMigrate },
    check: { minutes: 5, load: async () => (await import('./check.js')).check },
    inventory: { minutes: 3, load: async () => (await import('./inventory.js')).inventory },
    items: { minutes: 8, load: async () => (await import('./items.js')).items },
    launch: { minutes: 10, load: async () => (await import('./launch.js')).launch },
    placement: { minutes: 8, load: async () => (await import('./placement.js')).placement },
    recover: { minutes: 20, load: async () => (await import('./recover.js')).recover },
    'recover-lab': { minutes: 15, load: async () => (await import('./recover-lab.js')).recoverLab },
    step: { minutes: 5, load: async () => (await import('./step.js')).step },
  };

async function run(name: string, bench: (typeof benches)[string], interrupted: AbortSignal): Promise<void> {
  const overdue = AbortSignal.timeout(bench.minutes * 60_000);
  const session = new Session(name, AbortSignal.any([interrupted, overdue]));
  const aborted = new Promise<never>((_, fail) => {
    session.signal.addEventListener('abort', () => {
      fail(new Error(overdue.aborted ? `took more than ${bench.minutes} minutes` : 'interrupted'));
    });
  });
  try {
    await Promise.race([(await bench.load())(session), aborted]);
  } finally {
    await session.close();
  }
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => benches[name] === undefined);
  if (names.length === 0 || unknown.length > 0) {
    const said = names.length === 0 ? 'name a benchmark' : `no benchmark is called ${unknown.join(', ')}`;
    process.stderr.write(`${said}\nknown are ${Object.keys(benches).join(', ')}\n`);
    return 2;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
  let code = 0;
  for (const name of names) {
    const bench = benches[name];
    if (bench === undefined || interrupt.signal.aborted) continue;
    try {
      await run(name, bench, interrupt.signal);
    } catch (error) {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      if (error instanceof DroverError && error.hint) process.stderr.write(`${name}: ${error.hint}\n`);
      code = 1;
    }
  }
  return interrupt.signal.aborted ? 1 : code;
}

process.exitCode = await main(process.argv.slice(2));
