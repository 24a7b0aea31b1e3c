import { execa } from 'execa';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeFilledPlace, type Place } from './drover.js';

let place: Place;
const virsh = !(await execa('virsh', ['--version'], { reject: false })).failed;

beforeAll(async () => {
  place = await makeFilledPlace();
});

afterAll(() => place.remove());

describe('wrong usage: exit 2, what and what to do', () => {
  test.each([
    [['instnce', 'list'], "unknown command 'instnce'", 'did you mean instance? see `drover --help`'],
    [['instance', 'lst'], "unknown command 'lst'", 'did you mean list? see `drover instance --help`'],
    [
      ['instance', 'list', '--hots', 'a'],
      "unknown option '--hots'",
      'did you mean --host? see `drover instance list --help`',
    ],
    [['instance', 'stop'], "missing required argument 'instance'", 'see `drover instance stop --help`'],
    [['instance', 'stop', 'db', 'x'], "too many arguments for 'stop'", 'drover instance stop --help'],
    [
      ['instance', 'stop', 'db', '--grace', 'soon'],
      'stop: --grace: must be a length of time',
      'drover instance stop --help',
    ],
    [['instance', 'live-migrate', 'db', '--bandwidth', 'fast'], '--bandwidth takes a number, not "fast"', ''],
    [['instance', 'live-migrate', 'db', '--timeout', '5'], '--timeout takes a length of time', ''],
    [['instance', 'launch', 'new', '--image', '/a.qcow2'], 'launch needs a size', 'drover flavor list'],
    [
      ['host', 'disable', 'alpha'],
      "required option '--reason <reason>' not specified",
      'drover host disable --help',
    ],
    [['host', 'show', 'alhpa'], 'there is no host "alhpa" — did you mean "alpha"?', 'drover host list'],
    [['host', 'add', 'gamma', '--uri', 'gamma'], '"gamma" is no libvirt URI', 'qemu+ssh://'],
    [
      ['host', 'add', 'gamma', '--uri', 'qemu+tcp://x/system', '--slots', '0'],
      '--slots takes a whole number from 1, not 0',
      '',
    ],
    [['host', 'drain', 'nowhere'], 'there is no host "nowhere"', 'drover host list'],
    [['instance', 'adopt', 'alpha'], 'no guest is named', 'drover instance adopt alpha --all'],
    [
      ['instance', 'list', '--state', 'actve'],
      '"actve" is no state of an instance — did you mean "active"?',
      '',
    ],
    [['instance', 'list', '-o', 'xml'], "argument 'xml' is invalid", 'drover instance list --help'],
    [['runbook', 'run', 'drain-hots'], 'there is no runbook "drain-hots"', 'did you mean "drain-host"?'],
    [['runbook', 'run', 'drain-host', '--input', 'host'], '--input host: must be name=value', ''],
    [['instance', 'list', '--config', 'none.yaml'], 'there is no configuration file', '--config'],
  ])('drover %j', async (args, what, todo) => {
    const ran = await place.drover(args);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr.replaceAll(/\s+/g, ' ')).toContain(what);
    expect(ran.stderr).toContain(todo);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });
});

test('with -o json an error is one object on stderr', async () => {
  const { stderr, stdout, exitCode } = await place.drover(['instance', 'show', 'nothing', '-o', 'json']);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(JSON.parse(stderr)).toEqual({
    code: 'NotFound',
    message: 'no instance has the name or id "nothing"',
    details: { instance: 'nothing' },
    hint: 'list what there is, for example with `drover instance list`',
  });
  expect(JSON.parse((await place.drover(['nothing', '-o', 'json'])).stderr)).toMatchObject({
    code: 'InvalidInput',
  });
});

test('an ambiguous name is refused with the candidates', async () => {
  const { stderr, exitCode } = await place.drover(['instance', 'show', 'web']);
  expect(exitCode).toBe(2);
  expect(stderr).toBe(
    [
      'drover: 2 instances have the name "web":',
      '  11111111-0000-4000-8000-000000000000 (active, on alpha)',
      '  22222222-0000-4000-8000-000000000000 (active, on beta)',
      '  -> use one of the ids',
    ].join('\n'),
  );
});

test.each([
  [['instance', 'start', 'db']],
  [['runbook', 'run', 'drain-host', '--input', 'host=alpha']],
  [['host', 'drain', 'alpha']],
  [['host', 'disable', 'alpha', '--reason', 'x']],
  [['run', 'cancel', '0a1b2c3d-0000-4000-8000-000000000000']],
])('Temporal down: exit 4 soon, and what to do: drover %j', async (args) => {
  const ran = await place.drover(args);
  expect(ran.stderr).toBe(
    'drover: no Temporal server answers at 127.0.0.1:1: connection refused\n' +
      '  -> start one with `drover dev`, or set TEMPORAL_ADDRESS=HOST:PORT to the one you have',
  );
  expect(ran.exitCode).toBe(4);
  // Half a second on an idle machine.
  expect(ran.seconds).toBeLessThan(20);
});

test('an unreachable host is not added: exit 4, and why', async () => {
  const { exitCode, stderr } = await place.drover([
    'host',
    'add',
    'gamma',
    '--uri',
    'qemu+tcp://127.0.0.1:1/system',
  ]);
  expect(stderr).toContain('host gamma was not added: ');
  // Without virsh on this machine it is another error, but the host isn't added either.
  expect(exitCode).toBe(virsh ? 4 : 1);
  expect((await place.drover(['host', 'list', '--json', 'name'])).stdout).not.toContain('gamma');
});

test('what destroys asks for --yes, and asks nobody without a terminal', async () => {
  const { exitCode, stderr } = await place.drover(['instance', 'terminate', 'db']);
  expect(exitCode).toBe(2);
  expect(stderr).toBe(
    'drover: terminate removes instance db (stopped, on alpha) for good; its data is lost (0 disks).\n  -> repeat with --yes',
  );
});

test('help comes at once, without a look at anything', async () => {
  const ran = await place.drover(['--help']);
  expect(ran.exitCode).toBe(0);
  expect(ran.stdout).toContain('Usage: drover [options] [command]');
  // 70 ms on an idle machine.
  expect(ran.seconds).toBeLessThan(10);
  expect((await place.drover(['instance', 'live-migrate', '--help'])).stdout).toContain(
    '--abort-after <duration>',
  );
  expect((await place.drover(['host', 'drain', '--help'])).stdout).toMatch(
    /--max-failures <number>\s+how many/,
  );
  expect(await place.drover(['host'])).toMatchObject({ exitCode: 2 });
});

test('a viewer may only look', async () => {
  writeFileSync(join(place.folder, 'viewer.yaml'), 'identity: { name: eve, role: viewer }\n');
  const as = ['--config', 'viewer.yaml'];
  expect(await place.drover(['instance', 'list', ...as])).toMatchObject({ exitCode: 0 });
  const { exitCode, stderr } = await place.drover(['instance', 'lock', 'db', '--reason', 'x', ...as]);
  expect(exitCode).toBe(3);
  expect(stderr).toContain('eve has the role viewer, which may only look');
});

test('a lock is shown, and whether it could be taken away is told without Temporal', async () => {
  expect((await place.drover(['instance', 'show', 'cache'])).stdout).toMatch(
    /locked\s+yes, by bob: under audit/,
  );
  writeFileSync(
    join(place.folder, 'operator.yaml'),
    'cloud: test\nidentity: { name: ann, role: operator }\n',
  );
  const as = ['--config', 'operator.yaml'];
  const dry = await place.drover(['instance', 'unlock', 'cache', '--dry-run', '-o', 'json', ...as]);
  expect(JSON.parse(dry.stdout)).toMatchObject({ operation: 'unlock', allowed: false });
  expect(dry).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('locked by bob') });
  const lock = await place.drover(['instance', 'lock', 'db', '--reason', 'audit']);
  expect(lock).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('Temporal') });
});

test('a runbook with mistakes is told with line and column', async () => {
  writeFileSync(
    join(place.folder, 'bad.yaml'),
    'name: bad\ndescription: x\nsteps:\n  - id: a\n    uses: host.disble\n',
  );
  const { exitCode, stdout, stderr } = await place.drover(['runbook', 'check', 'bad.yaml']);
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/^bad\.yaml:5:\d+: steps\[0\]\.uses: unknown operation "host\.disble"/);
  expect(stderr).toContain('in 1 of 1 files');
});
