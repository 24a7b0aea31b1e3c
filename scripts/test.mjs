// `npm test`: installs what is missing, builds, runs every suite that this machine can run, and says what was
// left out and how to have it. With CI=true leaving out is a failure.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installModules } from './modules.mjs';
import { installPackages, labPossible } from './packages.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const ci = process.env.CI === 'true';
const only = process.argv.slice(2);
const leftOut = [];
const say = (text) => console.log(`\n== ${text}`);

installModules(say);

const lab = labPossible('npm test');
if (lab === true) installPackages(say);
else leftOut.push(`lab (real libvirt hosts): ${lab}`);

say('build');
execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });

say('Temporal server');
const { findTemporal } = await import('../dist/temporal/binary.js');
const { path: temporal } = await findTemporal({ say: (line) => console.log(line) });
console.log(temporal);

const { findPostgres } = await import('../dist/lab/postgres.js');
const postgres = findPostgres() !== null;
if (!postgres)
  leftOut.push(
    'postgres (the inventory on PostgreSQL): it is not installed; run `apt-get install postgresql`',
  );

const possible = ['unit', ...(postgres ? ['postgres'] : []), 'proof', 'temporal'];
const suites = [...possible, ...(lab === true ? ['lab'] : [])].filter(
  (name) => !only.length || only.includes(name),
);
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const unsteady = [];
const out = mkdtempSync(join(tmpdir(), 'drover-test-'));
const proof = join(out, 'proof');
const labSuite = suites.filter((name) => name === 'lab');
const besideLab = labSuite.length > 0;
// A dead host is told from a slow one by seconds, and storage drops the lock of one that is cut off after some 40 of them.
const aloneInLab = 'test/lab/recover';
await inTurn(labSuite, [], [aloneInLab]);
// Other real hosts are waited for most of the time. What computes goes on beside them and takes what they leave of the cores.
await Promise.all([
  inTurn(labSuite, [], ['--exclude', `${aloneInLab}/**`]),
  inTurn(
    suites.filter((name) => name !== 'lab'),
    besideLab ? ['nice', '-n', '10'] : [],
  ),
]);
if (suites.includes('proof')) {
  const holes = tellProof();
  failures.push(...holes.map((hole) => `proof, not complete: ${hole}`));
  total.failed += holes.length;
}
if (suites.includes('lab')) tellLabSweep();
rmSync(out, { recursive: true });

if (leftOut.length > 0) say(`left out:\n${leftOut.map((line) => `  ${line}`).join('\n')}`);
if (ci && leftOut.length > 0) total.failed += leftOut.length;
if (total.passed === 0) total.failed += 1;
// Last, where a log that is cut off still has them.
if (unsteady.length > 0)
  say(`unsteady, passed at the second attempt:\n${unsteady.map((each) => `  ${each}`).join('\n')}`);
if (failures.length > 0) say(`failed:\n${failures.map((each) => `  ${each}`).join('\n')}`);
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`,
);
process.exitCode = total.failed > 0 ? 1 : 0;

/** One suite after the other; `before` is put before the command of each, `args` (which of its files) behind it. */
async function inTurn(names, before = [], args = []) {
  for (const suite of names) {
    say(`suite ${[suite, ...args].join(' ')}`);
    const began = Date.now();
    const { status, outcomes } = await ran(suite, before, args);
    say(`suite ${suite} took ${Math.round((Date.now() - began) / 1000)} s`);
    if (status !== 0 && outcomes.failed.length === 0)
      outcomes.failed.push(`vitest ended with ${status} and names no failed test; what it says is above`);
    failures.push(...outcomes.failed.map((each) => `${suite}, ${each}`));
    unsteady.push(...outcomes.unsteady.map((each) => `${suite}, ${each}`));
    total.passed += outcomes.passed;
    total.failed += outcomes.failed.length;
    total.skipped += outcomes.skipped;
    if (outcomes.skipped > 0) leftOut.push(`${outcomes.skipped} skipped tests in suite ${suite}`);
  }
}

async function ran(suite, before, files) {
  const file = join(out, `${suite}.json`);
  rmSync(file, { force: true });
  const [command, ...args] = [
    ...before,
    process.execPath,
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    suite,
    '--reporter=default',
    '--reporter=./scripts/outcomes.mjs',
    ...files,
  ];
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, DROVER_TEMPORAL_BIN: temporal, DROVER_PROOF_DIR: proof, DROVER_OUTCOMES: file },
  });
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  const none = { passed: 0, skipped: 0, failed: [], unsteady: [] };
  return { status, outcomes: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : none };
}

/** The matrix of the sweep in the lab; the suite itself fails over what is not complete. */
function tellLabSweep() {
  const file = join(proof, 'lab-matrix.txt');
  say('the lab: steps at which each fault met each operation on real hosts (docs/proof.md)');
  console.log(existsSync(file) ? readFileSync(file, 'utf8') : 'the sweep made no matrix');
}

/** The matrix of operations and sweeps; answers which of its cells are empty or not complete. */
function tellProof() {
  const read = (file) => (existsSync(join(proof, file)) ? readFileSync(join(proof, file), 'utf8') : null);
  say('the proof: steps at which each sweep met each operation, of those that there are (docs/proof.md)');
  console.log(read('matrix.txt') ?? 'the suite made no matrix');
  const holes = JSON.parse(read('holes.json') ?? '["no matrix"]');
  return holes;
}
