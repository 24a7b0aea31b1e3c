// Pictures of the Temporal UI for the README, from what a `drover dev` has done: node scripts/screenshots.mjs [DATA].
// There must be a drain that succeeded, a live migration that failed, and a run that somebody approved: what the
// README's ten minutes leave. Only what has ended: the pages of what runs never come to rest.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const data = resolve(process.argv[2] ?? '.drover');
const chromium = process.env['CHROMIUM'] ?? 'chromium';
const largest = 200_000;

const { uiUrl, namespace } = JSON.parse(readFileSync(`${data}/dev.json`, 'utf8'));
const pages = `${uiUrl}/namespaces/${namespace}/workflows`;
const runs = drover('run', 'list');
const drained = runs.find((run) => run.runbook === 'drain-host' && run.state === 'succeeded');
const approved = runs.find((run) =>
  drover('run', 'show', run.id).actions?.some((one) => one.action === 'approve'),
);
const failed = await newest('WorkflowType="instance.live-migrate" AND ExecutionStatus="Failed"');

mkdirSync(`${root}/docs/images`, { recursive: true });
await take('drain', '1400,1090', drained?.workflowUrl);
await take('failed-migration', '1500,950', failed && `${failed}/history`);
await take(
  'approved-run',
  '1400,560',
  approved && `${await newest(`WorkflowId="${idOf(approved)}"`)}/user-metadata`,
);

async function take(name, size, url) {
  if (url === undefined) throw new Error(`there is nothing in ${data} to make ${name}.png of`);
  const file = `${root}/docs/images/${name}.png`;
  const options = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--window-size=${size}`,
  ];
  execFileSync(chromium, [...options, `--screenshot=${file}`, '--virtual-time-budget=10000', url], {
    stdio: ['ignore', 'ignore', 'ignore'],
    timeout: 90_000,
  });
  const { size: bytes } = statSync(file);
  console.log(
    `${file}: ${bytes} bytes${bytes > largest ? `, more than ${largest}: make its window smaller` : ''}`,
  );
}

/** The page of the newest run of a workflow that fits; undefined when none does. */
async function newest(query) {
  const list = `${uiUrl}/api/v1/namespaces/${namespace}/workflows?query=${encodeURIComponent(query)}`;
  const { executions = [] } = await (await fetch(list)).json();
  const { workflowId, runId } = executions[0]?.execution ?? {};
  return workflowId && `${pages}/${encodeURIComponent(workflowId)}/${runId}`;
}

function idOf({ workflowUrl }) {
  return decodeURIComponent(workflowUrl.split('/').at(-1));
}

function drover(...words) {
  const args = [`${root}/dist/cli/main.js`, '--data', data, ...words, '-o', 'json'];
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
}
