/** An inventory of its own, and a Temporal that is only what the inventory asks of it. */
import { callOf } from '../../call.js';
import { createInventoryActivities, type InventoryDeps } from '../../../activities/inventory/activities.js';
import {
  closeInventory,
  openInventory,
  read,
  type Inventory,
} from '../../../activities/inventory/database.js';
import { addHost, recordProbe, type NewHost } from '../../../activities/inventory/hosts.js';
import { adoptInstance, type Adoption } from '../../../activities/inventory/instances.js';
import type { AllocationRow, IntentRow } from '../../../activities/inventory/schema.js';
import type { BeginAnswer, BeginInput, ClaimInput } from '../../../activities/types.js';
import { DroverError, type ErrorRecord } from '../../../model/errors.js';
import type { IntentCall, Owner } from '../../../model/operation.js';
import { makePlace, type TestPlace } from './place.js';

export class FakeTemporal {
  /** The run in which the next activity is. */
  run: { workflowId: string; runId: string } | null = null;
  private readonly latest = new Map<string, { runId: string; open: boolean }>();
  private runs = 0;
  asked = 0;

  /** A new run of a workflow, as a start or a reset makes it; the one before is not current any more. */
  start(workflowId: string): { workflowId: string; runId: string } {
    this.runs += 1;
    this.run = { workflowId, runId: `run-${this.runs}` };
    this.latest.set(workflowId, { runId: this.run.runId, open: true });
    return this.run;
  }
  end(workflowId: string): void {
    const found = this.latest.get(workflowId);
    if (found !== undefined) found.open = false;
  }
  isCurrent(workflowId: string, runId: string): boolean {
    this.asked += 1;
    return this.latest.get(workflowId)?.runId === runId;
  }
  isOpen(workflowId: string): boolean {
    return this.latest.get(workflowId)?.open ?? false;
  }
}

export interface World {
  place: TestPlace;
  inventory: Inventory;
  temporal: FakeTemporal;
  deps: InventoryDeps;
  act: ReturnType<typeof createInventoryActivities>;
  close(): Promise<void>;
}

/** The clock goes on by a second each time it is asked: golden texts have the same times every run. */
export async function makeWorld(): Promise<World> {
  const place = await makePlace();
  let seconds = 0;
  const now = () => new Date(Date.UTC(2026, 10, 1) + 1000 * seconds++).toISOString();
  const inventory = { ...(await openInventory(place.at)), now };
  const temporal = new FakeTemporal();
  const deps: InventoryDeps = {
    inventory,
    currentRun: () => temporal.run,
    isCurrentRun: (workflowId, runId) => Promise.resolve(temporal.isCurrent(workflowId, runId)),
    isOpen: (workflowId) => Promise.resolve(temporal.isOpen(workflowId)),
    capabilities: new Set(['launch', 'liveMigration']),
  };
  const close = async () => {
    await closeInventory(inventory);
    await place.remove();
  };
  return { place, inventory, temporal, deps, act: createInventoryActivities(deps), close };
}

export async function host(
  { inventory }: Pick<World, 'inventory'>,
  name: string,
  settings: Partial<NewHost> & { vcpus?: number; memoryMiB?: number } = {},
): Promise<void> {
  const { vcpus = 8, memoryMiB = 8192, ...rest } = settings;
  const uri = `test+ssh://${name}/system`;
  await addHost(inventory, {
    name,
    uri,
    slots: 2,
    cpuOvercommit: 1,
    memoryMiBReserved: 0,
    labels: {},
    ...rest,
  });
  const facts = { hostname: name, systemUuid: `uuid-${name}`, vcpus, memoryMiB, hypervisor: 'test' };
  await recordProbe(inventory, name, { up: true, facts });
}

export async function guest(
  { inventory }: Pick<World, 'inventory'>,
  id: string,
  on: string,
  rest: Partial<Adoption> = {},
): Promise<void> {
  await adoptInstance(inventory, {
    id,
    name: `web-${id}`,
    host: on,
    state: 'active',
    powerState: 'running',
    flavor: null,
    vcpus: 1,
    memoryMiB: 1024,
    disks: [],
    metadata: {},
    ...rest,
  });
}

export const ask = (operation: string, instance: string, rest: Partial<BeginInput> = {}): BeginInput => ({
  kind: 'live-migrate',
  request: { id: operation, by: 'alice', role: 'operator', run: null },
  instance,
  input: { instance },
  allowedStates: ['active', 'paused'],
  doing: 'migrating',
  respectsLock: true,
  respectsNeedsRepair: true,
  needs: null,
  create: null,
  ...rest,
});

/** Begins and expects that it did. */
export async function begin(
  world: World,
  operation: string,
  instance: string,
  rest: Partial<BeginInput> = {},
): Promise<Owner> {
  const answer = await world.act.beginOperation(ask(operation, instance, rest), callOf(null));
  return expectOutcome(answer, 'began').owner;
}

export function expectOutcome<O extends BeginAnswer['outcome']>(
  answer: BeginAnswer,
  outcome: O,
): Extract<BeginAnswer, { outcome: O }> {
  if (answer.outcome !== outcome) throw new Error(`${outcome} expected, not ${JSON.stringify(answer)}`);
  return answer as Extract<BeginAnswer, { outcome: O }>;
}

export const claimOf = (claim: string, rest: Partial<ClaimInput> = {}): ClaimInput => ({
  claim,
  vcpus: 1,
  memoryMiB: 1024,
  host: null,
  exclude: [],
  from: null,
  waitSeconds: 0,
  ...rest,
});

export const undo = (
  says: string,
  input: Record<string, unknown> = {},
  activity = 'removeDisk',
): IntentCall => ({
  activity,
  input,
  onHost: null,
  says,
});

export const allocations = ({ inventory }: Pick<World, 'inventory'>): Promise<AllocationRow[]> =>
  read(inventory, (db) => db.selectFrom('allocations').selectAll().orderBy('id').execute());

export const intents = ({ inventory }: Pick<World, 'inventory'>): Promise<IntentRow[]> =>
  read(inventory, (db) => db.selectFrom('intents').selectAll().orderBy('operation').orderBy('seq').execute());

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<ErrorRecord> {
  try {
    await call;
  } catch (error) {
    if (error instanceof DroverError) return error.toRecord();
    throw error;
  }
  throw new Error('it did not fail');
}

/** How a refusal reads: code and message, then what to do. */
export async function told(call: Promise<unknown>): Promise<string> {
  const { code, message, hint } = await failure(call);
  return `${code}: ${message}\n→ ${hint}`;
}
