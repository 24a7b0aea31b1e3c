/** What a dry run tells, on an inventory with three hosts. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { planLines } from '../../../cli/plan-lines.js';
import type { Caller } from '../../../client/caller.js';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { planRun } from '../../../client/plan-run.js';
import { resolveInputs } from '../../../runbooks/language/inputs.js';
import { loadRunbook } from '../../../runbooks/language/load.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { openCloud } from '../workflows/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
  await cloud.adopt('web-1');
  await cloud.adopt('web-2');
  await cloud.adopt('db-1', { host: 'h2' });
});
afterEach(() => cloud.close());

async function planned(source: string, given: Record<string, unknown> = {}): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-plan-'));
  const file = join(folder, 'some.yaml');
  writeFileSync(file, `name: some\ndescription: Some.\n${source}`);
  const plan = await loadRunbook(file, [folder], runbookCatalogue());
  const caller: Caller = {
    cloud: 'test',
    inventory: cloud.inventory,
    identity: { name: 'ann', role: 'operator' },
    via: 'cli',
    temporal: () => Promise.reject(new Error('a dry run asks nobody')),
    say: () => undefined,
  };
  return planLines(await planRun(caller, { plan, inputs: resolveInputs(plan.runbook, given) }));
}

test('everything that a run would wait for, and what it would work on', async () => {
  const lines = await planned(
    `
inputs:
  host: { type: host }
  pause: { type: duration, default: 5m }
concurrency: maintenance-\${{ inputs.host }}
steps:
  - id: ask
    approve: { message: 'Empty \${{ inputs.host }}?', from: [role:admin], count: 2, within: 2h }
  - id: guests
    uses: query.instances
    with: { host: '\${{ inputs.host }}' }
    outputs: { names: '\${{ result.map(i, i.name) }}' }
  - id: both
    parallel:
      - id: one
        name: Close \${{ inputs.host }}
        uses: host.disable
        with: { host: '\${{ inputs.host }}', reason: maintenance }
        undo: { uses: host.enable, with: { host: '\${{ inputs.host }}' } }
      - id: two
        wait: \${{ inputs.pause }}
  - id: stop
    uses: instance.stop
    for-each: \${{ steps.guests.outputs.names }}
    max-parallel: 2
    max-failures: 50%
    with: { instance: '\${{ item }}' }
    retry: { attempts: 3 }
    timeout: 1h
    on-failure:
      - { id: again, uses: host.enable, with: { host: '\${{ inputs.host }}' } }
  - id: up
    if: steps.stop.done > 0
    uses: query.hosts
    until: result.all(h, h.state == 'up')
    timeout: 10m
  - id: never
    if: inputs.host == 'h3'
    wait: 1s
  - id: late
    uses: instance.start
    for-each: \${{ steps.up.result.map(h, h.name) }}
    with: { instance: '\${{ item }}' }
finally:
  - { id: open, uses: host.enable, with: { host: '\${{ inputs.host }}' } }
`,
    { host: 'h1' },
  );
  expect(lines).toEqual([
    'one run at a time with the key maintenance-h1',
    'ask: ask',
    '  waits for 2 approvals by role:admin, at most 2h, then it is rejected: Empty h1?',
    'guests: query.instances',
    '  lists 2 now: web-1, web-2',
    'both: both (2 steps at the same time)',
    '  one: Close h1 (host.disable)',
    '    taken back by host.enable when the run is cancelled',
    '  two: two (waits 5m)',
    'stop: instance.stop',
    '  2 at a time, 50% may fail',
    '  up to 3 attempts',
    '  time limit 1h',
    '  web-1',
    '  web-2',
    '  if it fails:',
    '    again: host.enable',
    'up: query.hosts',
    '  whether it runs depends on the steps before it',
    "  asked again until result.all(h, h.state == 'up')",
    '  time limit 10m',
    '  lists 3 now: h1, h2, h3',
    'never: never (waits 1s)',
    '  skipped: its condition is false',
    'late: instance.start',
    '  1 at a time, 0 may fail',
    '  what it works on depends on the steps before it',
    'at the end, however it ended:',
    '  open: host.enable',
  ]);
});

test('runs within it are told with their inputs, and so are those that are not known yet', async () => {
  const lines = await planned(`
steps:
  - id: drain
    uses: runbook.drain-host
    for-each: { query: hosts }
    with: { host: '\${{ item.name }}', parallel: 1 }
  - id: unknown
    uses: runbook.drain-host
    with: { host: '\${{ steps.drain.state }}' }
`);
  const inputs = 'parallel=1 max_failures=0 wait=10m timeout=30m';
  expect(lines.filter((line) => line.includes('drain-host '))).toEqual([
    expect.stringContaining('drain-host host=h1'),
    expect.stringContaining('drain-host host=h2'),
    expect.stringContaining('drain-host host=h3'),
    '  drain-host (its inputs depend on the steps before)',
  ]);
  expect(lines.join('\n')).toContain(inputs);
  // What each of them would move, and where to.
  expect(lines.filter((line) => /^ +(web-1|web-2|db-1) → h[123]$/.test(line))).toHaveLength(3);
});
