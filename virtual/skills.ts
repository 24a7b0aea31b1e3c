/** What the workers of a cloud in virtual time do: the real activities, on its inventory and its datacenter. */
import { createAuditActivities } from '../activities/audit/activities.js';
import { createEvacuationActivities } from '../activities/evacuation/activities.js';
import { createFencingActivities } from '../activities/fencing/activities.js';
import type { Fencing } from '../activities/fencing/port.js';
import { routeFencing } from '../activities/fencing/route.js';
import { createHostWaitActivities } from '../activities/host/wait-for-host.js';
import { createHypervisorActivities } from '../activities/hypervisor/activities.js';
import { fencedHypervisor } from '../activities/hypervisor/fenced.js';
import { createInventoryActivities } from '../activities/inventory/activities.js';
import type { Inventory } from '../activities/inventory/database.js';
import { fenceOf } from '../activities/inventory/fences.js';
import { hypervisorInventory } from '../activities/inventory/for-hypervisor.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import { createRecoveryActivities } from '../activities/recovery/activities.js';
import { createSimulatedFencing } from '../activities/simulator/bmc.js';
import type { Datacenter } from '../activities/simulator/datacenter.js';
import { createSimulatedDisks } from '../activities/simulator/disks.js';
import { createSimulatedHostActivities } from '../activities/simulator/host-activities.js';
import { createSimulatedHypervisor } from '../activities/simulator/hypervisor.js';
import { createSimulatedReach } from '../activities/simulator/vantage.js';
import { createVantageActivities } from '../activities/vantage/activities.js';
import { probeFenced, seenRunning } from '../activities/recovery/return-seen.js';
import { createReturnActivities } from '../activities/recovery/return.js';
import { createScheduleActivities } from '../activities/schedules.js';
import { createWaitActivities } from '../activities/wait.js';
import type { RecoveryRules } from '../model/recovery.js';
import type { FrozenRunbook } from '../model/runbook.js';
import { scheduledInputs } from '../runbooks/language/scheduled.js';
import type { Skills, WorkerProcess } from './process.js';
import type { VirtualClock } from './clock.js';
import type { VirtualTemporal } from './temporal.js';

export interface VirtualWorld {
  readonly inventory: Inventory;
  readonly datacenter: Datacenter;
  readonly clock: VirtualClock;
  readonly temporal: VirtualTemporal;
  /** Both are read at each call: a scenario says them after the worker was employed. */
  readonly strategy: Strategy;
  readonly recovery: RecoveryRules;
  /** The runbook of a schedule. Not from a file: nothing here does real I/O. */
  loadScheduled(runbook: string): FrozenRunbook;
  fencing(devices: Fencing): Fencing;
}

export function controlSkills(world: VirtualWorld, process: WorkerProcess): Skills {
  const { inventory, temporal } = world;
  const clock = process.clock(world.clock);
  const simulated = process.bound(createSimulatedHypervisor(world.datacenter));
  const hypervisor = fencedHypervisor(simulated, (host) => fenceOf(inventory, host));
  const describe = async (id: string) => temporal.describe(id);
  const devices = process.bound(createSimulatedFencing(world.datacenter));
  return {
    ...createInventoryActivities({
      inventory: { ...inventory, clock },
      capabilities: hypervisor.capabilities,
      // Asked at each claim: a scenario says it after the worker was employed.
      strategy: () => world.strategy,
      perTarget: () => world.recovery.perTarget,
      currentRun: () => temporal.scopes.current?.run ?? null,
      isCurrentRun: async (id, runId) => {
        const found = temporal.describe(id);
        return found?.open === true && found.runId === runId;
      },
      isOpen: async (id) => temporal.describe(id)?.open ?? false,
    }),
    ...createAuditActivities({
      inventory: { ...inventory, clock },
      hypervisor,
      quarantine: (host) => seenRunning({ inventory, hypervisor: simulated }, { host }),
    }),
    ...createHypervisorActivities({
      hypervisor,
      inventory: process.bound(hypervisorInventory(inventory)),
      clock,
      quarantine: (host) =>
        probeFenced(
          { inventory: { ...inventory, clock }, hypervisor: simulated, rules: world.recovery },
          host,
        ),
    }),
    ...createHostWaitActivities({
      hypervisor,
      inventory: process.bound(hypervisorInventory(inventory)),
      clock,
    }),
    ...createEvacuationActivities({
      hypervisor,
      inventory: { ...inventory, clock },
      workflows: {
        isOpen: async (id) => temporal.describe(id)?.open ?? false,
        cancel: async (id) => temporal.newest(id)?.cancel(),
        terminate: async (id) => temporal.newest(id)?.terminate(),
      },
    }),
    ...createRecoveryActivities({
      inventory: { ...inventory, clock },
      // Read at each call, too.
      rules: world.recovery,
      currentRun: () => temporal.scopes.current?.run ?? null,
    }),
    ...createFencingActivities({
      fencing: routeFencing(() => world.fencing(devices)),
      inventory: { ...inventory, clock },
    }),
    ...createReturnActivities({
      inventory: { ...inventory, clock },
      hypervisor: simulated,
      fencing: routeFencing(() => world.fencing(devices)),
      rules: world.recovery,
      clock,
    }),
    ...createWaitActivities({ describe, clock }),
    ...createScheduleActivities({
      inventory: { ...inventory, clock },
      load: async ({ runbook, inputs }, schedule) => {
        const plan = world.loadScheduled(runbook);
        return { plan, inputs: scheduledInputs(plan, inputs, schedule) };
      },
    }),
  };
}

export function vantageSkills(world: VirtualWorld, process: WorkerProcess, vantage: string): Skills {
  const clock = process.clock(world.clock);
  const reach = createSimulatedReach({ ...world.datacenter, clock }, vantage);
  return createVantageActivities({ vantage, reach, clock });
}

export function hostSkills(world: VirtualWorld, process: WorkerProcess): Skills {
  const datacenter = { ...world.datacenter, clock: process.clock(world.clock) };
  return { ...createSimulatedDisks(datacenter), ...createSimulatedHostActivities(datacenter) };
}
