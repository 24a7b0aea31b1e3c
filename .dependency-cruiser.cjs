/**
 * The floors of the house: what may import what. A folder imports from its own floor and from those below.
 *
 *   model → config, runbooks (language) → activities, workflows → temporal → worker, virtual, client → gateway → cli → test, bench
 */
const only = (name, from, allowed, why) => ({
  name,
  comment: why,
  severity: 'error',
  from: { path: `^${from}/` },
  to: {
    path: '^(model|config|runbooks|activities|workflows|temporal|worker|virtual|client|gateway|cli|lab|bench|test)/',
    pathNot: `^(${allowed.join('|')})`,
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('model-is-the-ground', 'model', ['model/'], 'The words of the domain import nothing of ours.'),
    only('config', 'config', ['model/', 'config/'], 'Configuration knows the model only.'),
    only(
      'language',
      'runbooks',
      ['model/', 'config/yaml-file', 'config/', 'runbooks/'],
      'The language is checked against a catalogue it is given.',
    ),
    only(
      'activities',
      'activities',
      ['model/', 'activities/', 'config/secrets'],
      'Activities know the model and their own ports.',
    ),
    only(
      'workflows',
      'workflows',
      [
        'model/',
        'workflows/',
        'activities/(types|table|limits)\\.ts',
        'activities/(inventory|hypervisor)/types\\.ts',
        'activities/hypervisor/port\\.ts',
        'runbooks/language/',
      ],
      'Workflows import the types of activities and their table, never their code.',
    ),
    only(
      'temporal',
      'temporal',
      ['model/', 'temporal/'],
      'The server and the connection know nothing of operations.',
    ),
    only(
      'worker',
      'worker',
      ['model/', 'config/', 'runbooks/language/', 'activities/', 'workflows/', 'temporal/', 'worker/'],
      'The worker puts the parts together.',
    ),
    only(
      'virtual',
      'virtual',
      ['model/', 'config/', 'runbooks/language/', 'activities/', 'workflows/', 'virtual/'],
      'Virtual time runs the same workflows and activities, without Temporal.',
    ),
    only(
      'client',
      'client',
      [
        'model/',
        'config/',
        'activities/inventory/',
        'activities/audit/store',
        'activities/recovery/(switches|kept-disks)',
        'activities/types',
        'runbooks/',
        'workflows/',
        'temporal/',
        'client/',
      ],
      'The client starts and follows.',
    ),
    only(
      'gateway',
      'gateway',
      [
        'model/',
        'config/',
        'activities/inventory/',
        'activities/audit/store',
        'activities/recovery/switches',
        'runbooks/',
        'workflows/',
        'temporal/',
        'client/',
        'gateway/',
      ],
      'The gateway is a way to the client by HTTP: what it does, the client does for the command line, too.',
    ),
    only('lab', 'lab', ['model/', 'lab/'], 'The lab knows nothing of drover but its errors.'),
    {
      name: 'temporal-in-workflows',
      comment:
        'Operations and the interpreter run on any runtime: only the runtime and the entry know Temporal.',
      severity: 'error',
      from: {
        path: '^workflows/',
        pathNot: '^workflows/(runtime/(temporal|failures)|entry|search-attributes)\\.ts$',
      },
      to: { path: '@temporalio/' },
    },
    {
      name: 'no-io-in-workflows',
      severity: 'error',
      from: { path: '^(workflows|model|runbooks/language/(expressions|cel|template))' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'drivers-apart',
      comment: 'A driver is one folder behind its port; drivers never import each other.',
      severity: 'error',
      from: { path: '^activities/hypervisor/([^/]+)/' },
      to: { path: '^activities/hypervisor/([^/]+)/', pathNot: '^activities/hypervisor/$1/' },
    },
    {
      name: 'only-ports-names-drivers',
      comment: 'Everybody else takes the driver from worker/ports.ts.',
      severity: 'error',
      from: {
        path: '^(worker|client|cli|bench|lab)/',
        // `drover sim` and the demo are about the simulated datacenter itself.
        pathNot: '^(worker/ports\\.ts$|cli/commands/sim\\.ts$|cli/sim-|cli/demo/|cli/playground\\.ts$)',
      },
      to: { path: '^activities/(hypervisor/[^/]+|simulator)/' },
    },
    {
      name: 'simulator-apart',
      comment: 'The simulator is a driver: it and the other parts of the activities share ports only.',
      severity: 'error',
      from: { path: '^activities/', pathNot: '^activities/simulator/' },
      to: { path: '^activities/simulator/' },
    },
    {
      name: 'simulator-knows-ports-only',
      severity: 'error',
      from: { path: '^activities/simulator/' },
      to: {
        path: '^activities/',
        pathNot: '^activities/(simulator/|types\\.ts|clock\\.ts|(hypervisor|fencing|vantage)/port\\.ts)',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
