/** Runs a runbook from the command line: dry run, or start, follow, tell. */
import type { Command } from 'commander';
import { urlOf } from '../client/caller.js';
import { planRun } from '../client/plan-run.js';
import { prepareRun, startRun, type PreparedRun, type StartedRun } from '../client/runs.js';
import { withContext, type Context } from './context.js';
import { printData, write } from './output.js';
import { planLines } from './plan-lines.js';
import { watchCommand } from './watch.js';
import { waitOptionsOf, type WaitOptions } from './waiting.js';

export async function runCommand(
  command: Command,
  runbook: string,
  inputs: Record<string, unknown>,
): Promise<void> {
  const options = waitOptionsOf(command);
  const { dryRun, force = false } = command.opts<{ dryRun?: true; force?: true }>();
  await withContext(command, async (context) => {
    const prepared = await prepareRun(context, { runbook, folders: context.config.runbooks, inputs });
    if (dryRun) return tellPlan(context, prepared);
    const started = await startRun(context, prepared, { force });
    return followRun(context, started, options);
  });
}

/** Waits for its end, or tells how to follow it. */
export async function followRun(context: Context, started: StartedRun, options: WaitOptions): Promise<void> {
  const { id, plan, workflowId } = started;
  if (options.wait) return watchCommand(context, id, options);
  const workflowUrl = urlOf(await context.temporal(), workflowId);
  if (context.output.format !== 'table') {
    return printData(context.output, { id, runbook: plan.name, state: 'running', workflowUrl });
  }
  write(`run ${id} of ${plan.name} started`);
  if (workflowUrl !== null) write(workflowUrl);
  return context.say(`follow it with \`drover run watch ${id}\`, cancel it with \`drover run cancel ${id}\``);
}

async function tellPlan(context: Context, prepared: PreparedRun): Promise<void> {
  const planned = await planRun(context, prepared);
  const { plan, inputs } = prepared;
  if (context.output.format !== 'table') {
    return printData(context.output, { digest: plan.digest, inputs, ...planned });
  }
  const given = Object.entries(inputs).map(([name, value]) => `${name}=${String(value)}`);
  write(`${plan.name} ${given.join(' ')}: would run these steps; nothing was done`);
  for (const line of planLines(planned)) write(`  ${line}`);
}
