/** The tables of a datacenter. Times are ms since the epoch, sizes bytes unless their name says MiB. */
export const version = 3;

export const schema: readonly string[] = [
  `create table hosts (
     name text primary key, rack text not null, zone text not null,
     vcpus integer not null, memory_mib integer not null, system_uuid text not null unique,
     power text not null default 'on', daemon integer not null default 1,
     hung integer not null default 0, cut integer not null default 0,
     call_ms integer not null default 0, link integer not null, boots integer not null default 1,
     generation integer not null default 1, networks text not null default '["br0"]',
     bmc text not null default 'ok', bmc_of text, bmc_said text, self_fence text
   ) strict, without rowid`,
  // Pairs of hosts that do not reach each other, each pair in both orders.
  `create table cuts (one text not null, other text not null, primary key (one, other)) strict, without rowid`,
  // Hosts that a vantage point does not see; `*` for all.
  `create table blind (
     vantage text not null, host text not null, primary key (vantage, host)
   ) strict, without rowid`,
  `create table stores (
     name text primary key, bytes integer not null, used integer not null default 0
   ) strict, without rowid`,
  `create table mounts (
     host text not null, directory text not null, store text not null, lost integer not null default 0,
     primary key (host, directory)
   ) strict, without rowid`,
  `create table files (
     store text not null, path text not null, format text not null,
     bytes integer not null, allocated integer not null, refers_to text,
     modified_at integer not null default 0,
     primary key (store, path)
   ) strict, without rowid`,
  `create table guests (
     host text not null, id text not null, name text not null,
     power text not null, reason text not null, persistent integer not null,
     vcpus integer not null, memory_mib integer not null, disks text not null, serial_log text,
     cpu_mode text not null default 'host-model', networks text not null default '[]',
     managed_save integer not null default 0, autostart integer not null default 0, snapshots integer not null default 0,
     checkpoints integer not null default 0, other_job text,
     stamp_operation text, stamp_epoch integer,
     dirty integer not null, obeys integer not null default 1,
     boots integer not null default 0, booted_at integer,
     completed text,
     primary key (host, id)
   ) strict, without rowid`,
  `create unique index guest_names on guests (host, name)`,
  `create index guest_ids on guests (id)`,
  `create index halves on guests (host) where power = 'migrating'`,
  `create table migrations (
     id integer primary key autoincrement, guest text not null, name text not null,
     source text not null, target text not null, power text not null,
     phase text not null, cap integer, dirty integer not null,
     memory integer not null, disk integer not null, copies text not null,
     started_at integer not null, progress text not null, downtime_ms integer,
     downtime_limit integer not null default 300,
     auto_converge integer not null default 0, post_copy integer not null default 0,
     stalled integer not null default 0, gives_up_at integer, gives_up text,
     ended_at integer, message text
   ) strict`,
  `create index migrations_of on migrations (guest, id)`,
  `create index migrations_from on migrations (source) where ended_at is null`,
  `create index migrations_to on migrations (target) where ended_at is null`,
  // What will happen by itself, in this order; whoever comes first after its time carries it out.
  `create table events (
     seq integer primary key autoincrement, at integer not null,
     kind text not null, host text, guest text, data text
   ) strict`,
  `create index events_at on events (at, seq)`,
  `create index events_of on events (kind, host, guest)`,
  // What hosts told of their guests.
  `create table heard (
     seq integer primary key autoincrement, at integer not null,
     host text not null, guest text not null, event text not null, detail text not null
   ) strict`,
  `create index heard_of on heard (host, seq)`,
  `create index heard_at on heard (at)`,
  // Calls that fail, or whose answer is lost: \`remaining\` calls later.
  `create table faults (
     id integer primary key autoincrement, call text not null, host text,
     remaining integer not null, times integer not null, kind text not null, message text not null
   ) strict`,
  `create table fences (
     host text not null, instance text not null, epoch integer not null, operation text not null,
     primary key (host, instance)
   ) strict, without rowid`,
  // Disks that a host offers to others; a power loss ends them.
  `create table exports (
     name text primary key, host text not null, instance text not null, path text not null
   ) strict, without rowid`,
  `create table made (
     host text not null, path text not null, instance text not null, operation text not null,
     primary key (host, path)
   ) strict, without rowid`,
  // Saved memories that no guest of the host knows of: those of guests that have left it.
  `create table saves (host text not null, guest text not null, primary key (host, guest)) strict, without rowid`,
  `create table counters (name text primary key, value integer not null) strict, without rowid`,
];
