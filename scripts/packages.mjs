// Installs what packages.txt names and Debian lacks. Run alone: node scripts/packages.mjs (as root).
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function installPackages(say) {
  if (!existsSync('/etc/debian_version')) return;
  const wanted = readFileSync(new URL('packages.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const missing = wanted.filter((name) => {
    const asked = spawnSync('dpkg-query', ['-W', '-f=${db:Status-Status}', name], { encoding: 'utf8' });
    return asked.status !== 0 || asked.stdout !== 'installed';
  });
  if (missing.length === 0) return;
  say(`apt-get install ${missing.join(' ')}`);
  const apt = (...args) =>
    execFileSync('apt-get', args, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  apt('update', '-qq');
  apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPackages(console.log);
