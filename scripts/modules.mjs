// Installs the Node modules when node_modules is not what the lock file says. Needs nothing but Node and npm.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';

/** In the folder of the project. */
export function installModules(say) {
  if (current()) return;
  say('npm ci');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { stdio: 'inherit' });
}

function current() {
  if (!existsSync(installed)) return false;
  const packages = (file) =>
    Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages).filter(
      ([path, p]) => path !== '' && !p.optional,
    );
  const there = new Map(packages(installed).map(([path, p]) => [path, p.version]));
  return packages('package-lock.json').every(([path, p]) => there.get(path) === p.version);
}
