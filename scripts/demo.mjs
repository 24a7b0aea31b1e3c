// `npm run demo`: installs what is missing, builds, then plays dist/cli/demo. Its options: see there.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installModules } from './modules.mjs';
import { installPackages, labPossible } from './packages.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const needsLab = process.argv.includes('--lab');
const lab = needsLab && labPossible('npm run demo -- --lab');
if (needsLab && lab !== true) {
  console.error(`the demo on real hosts can't run here: ${lab}\nwithout --lab it needs nothing but Node`);
  process.exit(2);
}

installModules(console.log);
if (needsLab) installPackages(console.log);
execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
await import('../dist/cli/demo/main.js');
