/** What is shipped for Prometheus, Alertmanager and Grafana, checked by their own tools and against what the gateway tells. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGateway, type Site } from '../unit/gateway/site.js';

const folder = join(import.meta.dirname, '../../deploy/prometheus');
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const tool = (command: string, ...args: string[]) => execa(command, args, { cwd: folder, all: true });

describe('by their own tools', () => {
  it.each([
    ['promtool', ['check', 'rules', 'drover.rules.yml']],
    ['promtool', ['check', 'config', '--syntax-only', 'prometheus.yml']],
    ['promtool', ['test', 'rules', 'tests/hosts.yml', 'tests/drover.yml']],
    ['amtool', ['check-config', 'alertmanager.yml']],
    ['prometheus-blackbox-exporter', ['--config.check', '--config.file=blackbox.yml']],
  ])('%s %j', async (command, args) => {
    const { exitCode, all } = await tool(command, ...args);
    expect(exitCode, all).toBe(0);
  });

  it.each([
    ['HostDown', 'drover,people'],
    ['RunFailed', 'people'],
  ])('Alertmanager sends %s to %s', async (alert, to) => {
    const route = [
      'config',
      'routes',
      'test',
      '--config.file=alertmanager.yml',
      `alertname=${alert}`,
      'host=h1',
    ];
    expect((await execa('amtool', route, { cwd: folder })).stdout).toBe(to);
  });
});

describe('every metric is one that there is', () => {
  let site: Site;
  let told: Set<string>;
  beforeAll(async () => {
    site = await openGateway();
    const { body } = await site.ask('GET', '/metrics', { role: 'viewer' });
    told = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
  });
  afterAll(() => site.close());

  const suffix = /_(bucket|count|sum)$/;
  it.each(['drover.rules.yml', 'grafana-dashboard.json'])('in %s', (file) => {
    const used = new Set(
      [...text(file).matchAll(/\bdrover_[a-z_]+\b/g)].map(([name]) => name.replace(suffix, '')),
    );
    expect(used.size).toBeGreaterThan(6);
    expect([...used].filter((name) => !told.has(name))).toEqual([]);
    const recorded = [...text('drover.rules.yml').matchAll(/record: (\S+)/g)].map(([, name]) => name);
    const asked = [...text(file).matchAll(/\bdrover:[a-z_]+\b/g)].map(([name]) => name);
    expect(asked.filter((name) => !recorded.includes(name))).toEqual([]);
  });
});
