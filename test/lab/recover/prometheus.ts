/** Prometheus, Alertmanager and the blackbox exporter of Debian, with the files that ship in deploy/prometheus. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePort } from '../../temporal/helpers.js';
import { until } from '../world.js';

const shipped = join(import.meta.dirname, '../../../deploy/prometheus');

export interface Monitoring {
  /** Alerts that fire now, as Alertmanager has them. */
  firing(): Promise<{ alertname: string; host: string; reason: string }[]>;
  /** From now on the host is looked for at this address. */
  place(host: string, address: string): void;
  close(): Promise<void>;
}

export async function startMonitoring(
  dir: string,
  { hosts, webhook, token }: { hosts: Record<string, string>; webhook: string; token: string },
): Promise<Monitoring> {
  const folder = join(dir, 'prometheus');
  mkdirSync(folder);
  cpSync(shipped, folder, { recursive: true });
  const [prometheus, alertmanager, blackbox] = [await freePort(), await freePort(), await freePort()];
  // What an operator changes: addresses, and how soon a changed list of hosts is read.
  change(join(folder, 'prometheus.yml'), {
    '127.0.0.1:9093': `127.0.0.1:${alertmanager}`,
    '127.0.0.1:9115': `127.0.0.1:${blackbox}`,
    'refresh_interval: 30s': 'refresh_interval: 2s',
    '127.0.0.1:8480': new URL(webhook).host,
  });
  change(join(folder, 'alertmanager.yml'), {
    'http://127.0.0.1:8480/api/v1/alerts/alertmanager': webhook,
    'repeat_interval: 1m': 'repeat_interval: 10s',
  });
  for (const name of ['drover.token', 'drover-alertmanager.token'])
    writeFileSync(join(folder, name), token, { mode: 0o600 });
  const placed = { ...hosts };
  const list = (): void =>
    writeFileSync(
      join(folder, 'drover-hosts.yml'),
      Object.entries(placed)
        .map(([host, address]) => `- { targets: ['${address}'], labels: { host: ${host} } }\n`)
        .join(''),
    );
  list();
  const begin = (command: string, args: string[]) =>
    execa(command, args, { cwd: folder, reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  const started: ReturnType<typeof begin>[] = [];
  const run = (command: string, ...args: string[]) => started.push(begin(command, args));
  run(
    'prometheus-blackbox-exporter',
    '--config.file=blackbox.yml',
    `--web.listen-address=127.0.0.1:${blackbox}`,
  );
  const store = `--storage.path=${join(folder, 'am')}`;
  const at = `--web.listen-address=127.0.0.1:${alertmanager}`;
  run('prometheus-alertmanager', '--config.file=alertmanager.yml', store, at, '--cluster.listen-address=');
  run(
    'prometheus',
    '--config.file=prometheus.yml',
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${prometheus}`,
  );
  const ask = async (url: string): Promise<unknown> => {
    const response = await fetch(url).catch(() => null);
    return response?.ok ? response.json().catch(() => true) : null;
  };
  for (const port of [prometheus, alertmanager])
    await until(
      'Prometheus is ready',
      60_000,
      async () => (await ask(`http://127.0.0.1:${port}/-/ready`)) !== null,
    );
  return {
    async firing() {
      const alerts = (await ask(`http://127.0.0.1:${alertmanager}/api/v2/alerts?active=true`)) ?? [];
      return (alerts as { labels: { alertname: string; host: string; reason: string } }[]).map(
        ({ labels }) => labels,
      );
    },
    place(host, address) {
      placed[host] = address;
      list();
    },
    async close() {
      for (const child of started) child.kill('SIGTERM');
      await Promise.all(started);
    },
  };
}

function change(file: string, words: Record<string, string>): void {
  let text = readFileSync(file, 'utf8');
  for (const [old, now] of Object.entries(words)) {
    if (!text.includes(old)) throw new Error(`${file} does not say ${old} any more`);
    text = text.replaceAll(old, now);
  }
  writeFileSync(file, text);
}
