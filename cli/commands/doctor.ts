import type { Command } from 'commander';
import { withContext } from '../context.js';
import { checkAll, type Check } from '../doctor.js';
import { DroverError } from '../../model/errors.js';
import { printData, write } from '../output.js';
import { paint } from '../paint.js';

export function register(doctor: Command): void {
  doctor
    .description('Check everything that drover depends on, and say how to fix what is wrong.')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const checks = await checkAll(context);
        if (context.output.format === 'table') for (const check of checks) tell(check);
        else await printData(context.output, checks);
        const wrong = checks.filter((check) => check.state === 'failed');
        const [first] = wrong;
        if (!first) return;
        const message =
          wrong.length === 1
            ? `${first.name}: ${first.message}`
            : `${wrong.length} of ${checks.length} checks failed`;
        throw new DroverError(first.code, message, { hint: first.fix ?? 'see the checks above' });
      });
    });
}

function tell({ name, state, message, fix }: Check): void {
  const sign = { ok: paint.green('ok'), warning: paint.yellow('!!'), failed: paint.red('XX') }[state];
  write(`${sign}  ${name}: ${message}`);
  if (fix !== null) write(`    -> ${fix}`);
}
