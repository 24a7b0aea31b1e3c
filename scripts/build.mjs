// Compiles the sources to dist/ and bundles the workflows, so that a worker starts without a compiler. Does
// nothing when dist/ is newer than every source: npm and npx run this more often than something has changed, and
// what runs from dist/ must not lose it then.
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const stamp = 'dist/.built';

const folders = JSON.parse(readFileSync('tsconfig.json', 'utf8')).include.map((glob) => glob.split('/')[0]);
const sources = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const changed = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const newest = Math.max(
  ...['tsconfig.json', 'package-lock.json', 'scripts/build.mjs', ...folders, ...sources].map(changed),
);
if (changed(stamp) > newest) process.exit(0);
console.log('building drover');

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
  stdio: 'inherit',
});

const { bundleWorkflowCode } = await import('@temporalio/worker');
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
const built = (name) => fileURLToPath(new URL(`../dist/workflows/${name}.js`, import.meta.url));
const { code } = await bundleWorkflowCode({
  workflowsPath: built('entry'),
  preloadModules: [built('preload')],
  logger: quiet,
});
writeFileSync('dist/workflow-bundle.cjs', code);
chmodSync('dist/cli/main.js', 0o755);
writeFileSync(stamp, '');
