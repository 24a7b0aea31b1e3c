/**
 * `npm run demo [-- --lab] [--data DIR] [--timings]`: drover on a simulated datacenter, told as it happens. Everything
 * that is told is read from drover's records or from the hypervisors; what does not come as promised ends it with 1.
 */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { aborted, catchSignals } from '../../temporal/signals.js';
import { exitCodeOf, reportError } from '../errors.js';
import { paint } from '../paint.js';
import { playLab } from './lab.js';
import { play } from './play.js';
import { openStage } from './stage.js';
import { openTeller, Unexpected, type Teller } from './tell.js';

const interrupted = 130;

process.exit(await run(process.argv.slice(2)));

async function run(args: string[]): Promise<number> {
  const signals = catchSignals();
  // `npm run demo | head`: nobody listens any more, and nothing may stay behind.
  process.stdout.on('error', () => process.emit('SIGTERM'));
  try {
    const { values } = parseArgs({
      args,
      options: { lab: { type: 'boolean' }, timings: { type: 'boolean' }, data: { type: 'string' } },
    });
    const { lab = false, timings = false, data = '.drover-demo' } = values;
    const tell = openTeller({ timings });
    if (lab) await playLab(resolve(data), tell, signals.end);
    else await playSimulated(resolve(data), tell, signals.end);
    return signals.end.aborted ? interrupted : 0;
  } catch (error) {
    if (signals.end.aborted) return interrupted;
    if (error instanceof Unexpected) {
      process.stderr.write(`${paint.red(`the demo failed: ${error.message}`)}\n`);
      return 1;
    }
    reportError(error, args);
    return exitCodeOf(error);
  }
}

async function playSimulated(dataDir: string, tell: Teller, signal: AbortSignal): Promise<void> {
  const stage = await openStage(dataDir, tell, signal);
  try {
    const played = play(stage, tell);
    // Its end is not waited for when somebody ends it all.
    played.catch(() => undefined);
    await Promise.race([played, aborted(signal)]);
  } finally {
    if (signal.aborted) tell.end();
    await stage.close(signal.aborted ? AbortSignal.abort() : signal);
  }
  tell.clock('ending everything');
  const folder = relative(process.cwd(), dataDir);
  tell.say(`\nAll processes have ended. Go on with this datacenter, and see all of it in the Temporal UI:`);
  tell.say(`  npx drover dev --data ${folder.startsWith('..') ? dataDir : folder}`);
}
