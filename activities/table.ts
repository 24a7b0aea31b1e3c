import type { Activities, ActivityName } from './types.js';

/**
 * What the kernel must know of each activity; the one place with time limits and retries.
 * - `read`: changes nothing; retried for a minute.
 * - `record`: a change of the inventory; retried until it is written.
 * - `quick`: a change on a host that takes seconds.
 * - `long`: heartbeats, may take hours, is found again after a crash.
 * `where` is the queue: that of the workflow itself (the control or the recovery workers), the worker of one host, or a
 * vantage point.
 * `mutates`: presents its owner and is refused when that is stale.
 */
interface ActivityRow<K extends ActivityName> {
  class: 'read' | 'record' | 'quick' | 'long';
  where: 'control' | 'host' | 'vantage';
  mutates: boolean;
  /** One line for the Temporal UI. */
  summary(input: Parameters<Activities[K]>[0]): string;
}

const read = { class: 'read', where: 'control', mutates: false } as const;
const record = { class: 'record', where: 'control', mutates: false } as const;
const change = { class: 'quick', where: 'control', mutates: true } as const;
const quickOnHost = { class: 'quick', where: 'host', mutates: false } as const;
const long = { class: 'long', where: 'control', mutates: true } as const;

export const activityTable: { readonly [K in ActivityName]: ActivityRow<K> } = {
  beginOperation: { ...record, summary: (i) => `begin ${i.kind}` },
  reconciled: {
    ...record,
    summary: (i) => `close what ${i.predecessor ?? 'an earlier operation'} left open`,
  },
  startUnwind: { ...record, summary: () => 'begin to undo' },
  commit: {
    ...record,
    summary: (i) => `point of no return${i.patch.host ? `: the instance is on ${i.patch.host}` : ''}`,
  },
  admit: { ...record, summary: (i) => (i.undo ? `note what to undo: ${i.undo.says}` : 'check ownership') },
  finishOperation: { ...record, summary: (i) => `close as ${i.state}` },
  refuseOperation: { ...record, summary: (i) => `record the refusal: ${i.error.code}` },
  claimHost: {
    ...long,
    summary: (i) => (i.host ? `claim room on ${i.host}` : 'choose a host and claim room'),
  },
  releaseClaim: { ...record, summary: () => 'release the claim' },
  recordMigration: { ...record, mutates: true, summary: (i) => `record: ${i.source} → ${i.target}, cold` },
  closeMigration: { ...record, summary: (i) => `record the migration as ${i.state}` },
  getFlavor: { ...read, summary: (i) => `which flavor is ${i.flavor}` },
  getHost: { ...read, summary: (i) => `where is host ${i.host}` },
  getInstance: { ...read, summary: (i) => `which instance is ${i.instance}` },
  listInstances: { ...read, summary: (i) => `list instances${i.host ? ` of ${i.host}` : ''}` },
  listInstanceNames: {
    ...read,
    summary: (i) => `list instances${i.host ? ` of ${i.host}` : ''}, ${i.limit} at a time`,
  },
  listHosts: { ...read, summary: () => 'list hosts' },
  setHostEnabled: { ...record, summary: (i) => `${i.enabled ? 'enable' : 'disable'} ${i.host}` },
  setHost: { ...record, summary: (i) => `settings of ${i.host}` },
  startMaintenance: { ...record, summary: (i) => `${i.host} in maintenance for ${i.seconds} s` },
  endMaintenance: { ...record, summary: (i) => `end the maintenance of ${i.host}` },
  beginHostOperation: { ...record, summary: (i) => `begin ${i.kind} of ${i.host}` },
  keepBoot: { ...record, summary: (i) => `the boot before is ${i.boot}` },
  endOfHostOperation: { ...read, summary: (i) => `how did ${i.kind} of ${i.host} end` },
  finishHostOperation: { ...record, summary: (i) => `close as ${i.state}` },
  startRun: { ...record, summary: (i) => `record the start of ${i.runbook}` },
  finishRun: { ...record, summary: (i) => `record the run as ${i.state}` },
  recordItems: { ...record, summary: (i) => `record ${i.items.length} items of ${i.step}` },
  recordRunAction: { ...record, summary: (i) => `record: ${i.action} by ${i.by}` },
  recordOperationAction: { ...record, summary: (i) => `record: ${i.action} by ${i.by}` },
  recordRung: { ...record, summary: (i) => `record: ${i.says}` },
  takeConcurrency: { ...long, mutates: false, summary: (i) => `one run at a time: ${i.key}` },
  releaseConcurrency: { ...record, summary: () => 'let the next run go' },
  beginAudit: { ...record, summary: () => 'begin the audit' },
  lookAtHosts: { ...long, mutates: false, summary: (i) => `list the guests of ${i.hosts.length} hosts` },
  keepFiles: { ...record, summary: (i) => `keep the lists of files of ${i.hosts.length} hosts` },
  compareInventory: { ...long, mutates: false, summary: () => 'compare what is recorded with what was seen' },
  releaseLeaked: { ...record, summary: (i) => `release ${i.allocation}` },
  raiseEpochs: { ...record, summary: () => 'raise the epochs of a restored inventory' },
  countUsage: { ...record, summary: (i) => `count what is in use on ${i.host}` },
  adoptGuest: { ...record, summary: (i) => `adopt ${i.instance} on ${i.host}` },
  claimOrphan: { ...long, mutates: false, summary: (i) => `does anybody use ${i.path}?` },
  endAudit: { ...record, summary: () => 'end the audit' },
  listFiles: { ...read, where: 'host', summary: (i) => `list disks in ${i.directories.join(', ')}` },
  removeSavedMemory: { ...quickOnHost, summary: (i) => `remove the saved memory of ${i.name}` },
  removeDefinition: { ...change, summary: (i) => `remove the definition of ${i.name} from ${i.host.name}` },
  disableAutostart: { ...change, summary: (i) => `no autostart of ${i.name} on ${i.host.name}` },
  mayRestart: { ...read, summary: () => 'may its restart policy start it once more' },
  findOrphans: { ...read, summary: () => 'look for operations that nobody runs' },
  look: { ...read, summary: (i) => `look for the guest on ${i.hosts.map((h) => h.name).join(', ')}` },
  defineGuest: { ...change, summary: (i) => `define ${i.spec.name} on ${i.host.name}` },
  startGuest: { ...change, summary: (i) => `start ${i.name} on ${i.host.name}` },
  stopGuest: { ...long, summary: (i) => `shut ${i.name} down, by force after ${i.graceSeconds} s` },
  rebootGuest: { ...long, summary: (i) => `${i.soft ? 'soft' : 'hard'} reboot of ${i.name}` },
  pauseGuest: { ...change, summary: (i) => `pause ${i.name}` },
  unpauseGuest: { ...change, summary: (i) => `unpause ${i.name}` },
  saveGuest: { ...long, summary: (i) => `save the memory of ${i.name} on ${i.host.name}` },
  undoSave: { ...long, summary: (i) => `let ${i.name} go on from its memory on ${i.host.name}` },
  restoreGuest: { ...long, summary: (i) => `restore ${i.name} from its memory on ${i.host.name}` },
  removeGuest: { ...change, summary: (i) => `remove ${i.name} from ${i.host.name}` },
  migrateGuest: {
    ...long,
    summary: (i) => `${i.copy.length ? 'block' : 'live'} migration ${i.source.name} → ${i.target.name}`,
  },
  undoMigrate: {
    ...long,
    summary: (i) => `end the migration ${i.source.name} → ${i.target.name} and clean the target`,
  },
  checkColdMove: {
    ...change,
    summary: (i) => `may ${i.name} move from ${i.source.name} to ${i.target.name}`,
  },
  copyDefinition: {
    ...change,
    summary: (i) => `bring the definition of ${i.name} from ${i.source.name} to ${i.target.name}`,
  },
  dropDefinition: { ...change, summary: (i) => `remove the definition of ${i.name} from ${i.host.name}` },
  resizeDefinition: {
    ...change,
    summary: (i) => `${i.name} gets ${i.vcpus} vCPUs and ${i.memoryMiB} MiB on ${i.host.name}`,
  },
  restartGuest: { ...long, summary: (i) => `start ${i.name} on ${i.host.name} again` },
  undoArrival: { ...change, summary: (i) => `does ${i.name} run on ${i.host.name} already` },
  steerMigration: { ...change, summary: (i) => `${i.by} wants the migration of ${i.name} to end: ${i.way}` },
  clearHalves: { ...change, summary: (i) => `end what a failed post-copy left of ${i.name}` },
  probeHosts: { ...read, summary: () => 'ask every host how it is' },
  createDisk: { ...long, where: 'host', summary: (i) => `create ${i.path}` },
  prepareDisk: { ...long, where: 'host', summary: (i) => `prepare ${i.path} (${i.bytes} bytes)` },
  removeDisk: { ...long, where: 'host', summary: (i) => `remove ${i.path}` },
  // `quick` has the patience to wait for a lock that its storage drops by itself.
  diskFacts: { ...read, class: 'quick', where: 'host', summary: (i) => `inspect ${i.path}` },
  writeProbe: { ...quickOnHost, summary: (i) => `write a nonce to ${i.directory}` },
  readProbe: { ...read, where: 'host', summary: (i) => `look for the nonce in ${i.directory}` },
  removeProbe: { ...quickOnHost, summary: (i) => `remove the nonce from ${i.directory}` },
  checkImport: { ...quickOnHost, summary: (i) => `may ${i.path} be copied here` },
  exportDisk: { ...quickOnHost, summary: (i) => `offer ${i.path} to the other host` },
  unexportDisk: { ...quickOnHost, summary: () => 'end the offer of the disk' },
  importDisk: { ...long, where: 'host', summary: (i) => `copy ${i.path} from ${i.from.host}` },
  dropImport: { ...quickOnHost, summary: (i) => `remove the half copy of ${i.path}` },
  growDisk: { ...quickOnHost, summary: (i) => `grow ${i.path} to ${i.bytes} bytes` },
  readSerialLog: { ...read, where: 'host', summary: (i) => `read ${i.path}` },
  bootId: { ...read, where: 'host', summary: () => 'which boot does the host run' },
  rebootHost: {
    ...long,
    mutates: false,
    where: 'host',
    summary: () => 'reboot the host, and wait for its worker',
  },
  selfFence: { ...read, where: 'host', summary: () => 'what has the platform armed on the host' },
  openIncident: { ...record, summary: (i) => `open the incident of ${i.host}` },
  noteIncident: { ...record, summary: (i) => i.lines.at(-1)?.says ?? 'keep the log of the incident' },
  recoveryMode: { ...read, summary: (i) => `may ${i.host} be fenced now` },
  takeFence: { ...record, summary: (i) => `ask the storm brake for ${i.host}` },
  setFence: { ...record, summary: (i) => `${i.host} is off: ${i.evidence.says}` },
  withdrawFence: { ...record, summary: (i) => `${i.host} may not be off: ${i.says}` },
  watchdogEvidence: { ...read, summary: (i) => `has a watchdog of ${i.host} run out` },
  casualties: { ...read, summary: (i) => `what is on ${i.host}` },
  closeIncident: { ...record, summary: (i) => `close the incident as ${i.state}` },
  testify: { ...read, where: 'vantage', summary: (i) => `is ${i.host.name} alive` },
  fenceDevices: { ...read, summary: (i) => `which fence devices has ${i.host.name}` },
  fenceStatus: { ...long, mutates: false, summary: (i) => `ask ${i.device}` },
  fenceOff: { ...long, mutates: false, summary: (i) => `cut the power of ${i.host.name}: ${i.device}` },
  fenceOn: { ...long, mutates: false, summary: (i) => `give ${i.host.name} its power: ${i.device}` },
  checkFences: {
    ...long,
    mutates: false,
    summary: (i) => `ask the fence devices of ${i.hosts?.join(', ') ?? 'all hosts'}`,
  },
  recordSelfFences: { ...record, summary: (i) => `record what is armed on ${i.seen.length} hosts` },
  supersedeOperation: {
    ...long,
    mutates: false,
    summary: (i) => `end what runs on it, at most ${i.seconds} s: its host is lost`,
  },
  evacuationOf: { ...read, summary: () => 'what is known of it' },
  clearBeside: { ...change, summary: (i) => `end what is left of ${i.name} on ${i.host.name}` },
  defineEvacuated: { ...change, summary: (i) => `define ${i.name} on ${i.host.name} as it was on ${i.lost}` },
  startEvacuated: {
    ...change,
    summary: (i) => `is ${i.lost} held off? then start ${i.name} on ${i.host.name}`,
  },
  beginReadmission: { ...read, summary: (i) => `may ${i.host} be readmitted` },
  awaitReturn: {
    ...long,
    mutates: false,
    summary: (i) => `wait until ${i.host.name} answers, and is itself`,
  },
  releaseFence: { ...record, summary: (i) => `nothing is evacuated from ${i.host} any more` },
  listReturned: { ...read, summary: (i) => `compare the guests of ${i.host.name} with the inventory` },
  removeStale: {
    ...change,
    mutates: false,
    summary: (i) =>
      `remove ${i.guest.name} from ${i.host.name}: it is ${i.guest.elsewhere === null ? 'deleted' : `on ${i.guest.elsewhere}`}`,
  },
  stopAutostart: {
    ...change,
    mutates: false,
    summary: (i) => `${i.host.name} starts no guest by itself any more`,
  },
  diskPlaces: { ...read, summary: (i) => `where may disks be on ${i.host}` },
  perhapsStale: { ...read, summary: (i) => `which disks on ${i.host} are of instances elsewhere` },
  claimStaleDisk: { ...record, summary: (i) => `may ${i.path} be removed from ${i.host}` },
  diskSharers: { ...read, summary: (i) => `who else reaches ${i.path} of ${i.lost}, which is fenced` },
  claimKeptDisk: { ...record, summary: (i) => `is ${i.kept.path} on ${i.host} still to be removed` },
  closeKeptDisk: { ...record, summary: () => 'it is removed' },
  closeReadmission: { ...record, summary: (i) => `take the fence off ${i.host}` },
  cutOffAgain: {
    ...long,
    mutates: false,
    summary: (i) => `cut ${i.host.name} off again: it runs what runs elsewhere`,
  },
  seenRunning: { ...read, summary: (i) => `who runs on ${i.host.name}, which is fenced` },
  prepareScheduledRun: { ...record, summary: (i) => `freeze ${i.order.runbook} of now` },
  waitForHost: { ...long, mutates: false, summary: (i) => `wait until ${i.host.name} answers` },
  waitForWorkflow: { ...long, mutates: false, summary: (i) => `wait for ${i.workflowId}` },
};
