import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';

interface Group {
  summary: string;
  load: () => Promise<{ register: (command: Command, argv: readonly string[]) => void | Promise<void> }>;
}

/** The first words of commands; each one's own module is loaded only when it is asked for. */
const groups: Record<string, Group> = {
  host: {
    summary: 'hosts: add, list, show, enable, disable, drain, remove',
    load: () => import('./commands/host.js'),
  },
  instance: {
    summary: 'instances: adopt, list, show, launch, start, stop, live-migrate and more',
    load: () => import('./commands/instance.js'),
  },
  audit: {
    summary: 'audits: is the inventory what the hypervisors tell, and what to do about it',
    load: () => import('./commands/audit.js'),
  },
  operation: {
    summary: 'operations: what each does, takes, may end with and undoes',
    load: () => import('./commands/operation.js'),
  },
  recovery: {
    summary: 'recoveries: what they may do by themselves when a host dies; status, arm, disarm, mode',
    load: () => import('./commands/recovery.js'),
  },
  incident: {
    summary: 'incidents of lost hosts: list, show, and answer what a recovery asks: approve, reject, attest',
    load: () => import('./commands/incident.js'),
  },
  'server-group': {
    summary: 'server groups: instances that belong on one host, or each on another',
    load: () => import('./commands/server-group.js'),
  },
  flavor: { summary: 'flavors: the sizes of instances', load: () => import('./commands/flavor.js') },
  runbook: {
    summary: 'runbooks: check, list, show, run, schema',
    load: () => import('./commands/runbook.js'),
  },
  run: {
    summary: 'runs of runbooks: list, show, watch, approve, reject, pause, resume, cancel, retry',
    load: () => import('./commands/run.js'),
  },
  schedule: {
    summary: 'schedules of runbooks: list, create, show, next, pause, resume, trigger, delete',
    load: () => import('./commands/schedule.js'),
  },
  'api-token': {
    summary: 'tokens of the API: create, list, revoke',
    load: () => import('./commands/api-token.js'),
  },
  gateway: {
    summary: 'the gateway: REST API, alerts, health and metrics by HTTP',
    load: () => import('./commands/gateway.js'),
  },
  notification: {
    summary: 'notices by webhook: list what waits, test a receiver, retry',
    load: () => import('./commands/notification.js'),
  },
  encryption: {
    summary: 'keys that encrypt what Temporal keeps: new-key',
    load: () => import('./commands/encryption.js'),
  },
  worker: {
    summary: 'run a worker: it does the work, resume it any time',
    load: () => import('./commands/worker.js'),
  },
  dev: {
    summary: 'Temporal server and worker together on this machine; Ctrl-C ends them',
    load: () => import('./commands/dev.js'),
  },
  doctor: {
    summary: 'check everything that drover depends on, and say how to fix it',
    load: () => import('./commands/doctor.js'),
  },
  sim: {
    summary: 'a simulated datacenter: hosts and guests without hardware, and their faults',
    load: () => import('./commands/sim.js'),
  },
  lab: {
    summary: 'real libvirt hosts on this machine, for trials and tests',
    load: () => import('./commands/lab.js'),
  },
};

const formats = ['table', 'json', 'yaml'] as const;

export async function buildProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command('drover')
    .description(
      'Durable operations on virtual machines: each is a Temporal workflow that survives any crash.',
    )
    .version(version(), '-V, --version')
    .addOption(
      new Option('-o, --output <format>', 'how to print the result').choices(formats).default('table'),
    )
    .option('--json <fields>', 'print these fields as JSON, such as name,state,host')
    .option('--config <file>', 'configuration file (default: $DROVER_CONFIG, then ./drover.yaml)')
    .option('--data <dir>', 'folder of the inventory and the Temporal server (default: .drover)')
    .configureHelp({ showGlobalOptions: true })
    // What is wrong with a command line is told in our words, at the end, once.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  const asked = firstWord(argv);
  for (const [name, { summary, load }] of Object.entries(groups)) {
    const command = program.command(name).description(summary);
    if (asked === name || (asked === 'help' && argv.includes(name)))
      await (await load()).register(command, argv);
  }
  return program;
}

/** The first word that is not an option nor the value of one. */
function firstWord(argv: readonly string[]): string | undefined {
  const withValue = new Set(['-o', '--output', '--json', '--config', '--data']);
  return argv.find((word, index) => !word.startsWith('-') && !withValue.has(argv[index - 1] ?? ''));
}

function version(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      // From dist/ it is one folder further up.
    }
  }
  return 'unknown';
}
