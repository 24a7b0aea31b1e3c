// The Debian packages for real libvirt hosts. Run alone it installs them: node scripts/packages.mjs (as root).
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Installs what packages.txt names and Debian lacks. */
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

/** True, or why the lab, which runs real libvirt hosts, can't be had here; `command` is what asked for it. */
export function labPossible(command) {
  if (process.platform !== 'linux') return 'it needs Linux; use a Linux machine or VM';
  if (process.getuid() !== 0) return `it needs root for network namespaces; run \`sudo ${command}\``;
  if (!existsSync('/etc/debian_version') && spawnSync('virsh', ['--version']).status !== 0) {
    return 'it installs its packages on Debian only; install libvirt, QEMU and the packages of scripts/packages.txt';
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPackages(console.log);
