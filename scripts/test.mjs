// `npm test`: installs what is missing, builds, runs every suite that this machine can run, and says what was
// left out and how to have it. With CI=true leaving out is a failure.
import { execFileSync, spawnSync } from 'node:child_process';
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

const suites = ['unit', 'proof', 'temporal', ...(lab === true ? ['lab'] : [])].filter(
  (name) => !only.length || only.includes(name),
);
const total = { passed: 0, failed: 0, skipped: 0 };
const out = mkdtempSync(join(tmpdir(), 'drover-test-'));
const proof = join(out, 'proof');
for (const suite of suites) {
  say(`suite ${suite}`);
  const file = join(out, `${suite}.json`);
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    suite,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, DROVER_TEMPORAL_BIN: temporal, DROVER_PROOF_DIR: proof },
  });
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  const failed = report ? report.numFailedTests : 0;
  total.passed += report?.numPassedTests ?? 0;
  // A suite that broke without naming a failed test (a file that does not load, an error after the end) has failed too.
  total.failed += status !== 0 && failed === 0 ? 1 : failed;
  const pending = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  total.skipped += pending;
  if (pending > 0) leftOut.push(`${pending} skipped tests in suite ${suite}`);
}
if (suites.includes('proof')) total.failed += tellProof();
rmSync(out, { recursive: true });

if (leftOut.length > 0) say(`left out:\n${leftOut.map((line) => `  ${line}`).join('\n')}`);
if (ci && leftOut.length > 0) total.failed += leftOut.length;
if (total.passed === 0) total.failed += 1;
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`,
);
process.exitCode = total.failed > 0 ? 1 : 0;

/** The matrix of operations and sweeps; answers how many of its cells are empty or not complete. */
function tellProof() {
  const read = (file) => (existsSync(join(proof, file)) ? readFileSync(join(proof, file), 'utf8') : null);
  say('the proof: steps at which each sweep met each operation, of those that there are (docs/proof.md)');
  console.log(read('matrix.txt') ?? 'the suite made no matrix');
  const holes = JSON.parse(read('holes.json') ?? '["no matrix"]');
  for (const hole of holes) console.log(`not complete: ${hole}`);
  return holes.length;
}
