/** What a migration left whose workflow was terminated, made without any workflow: the same in every world. */
import { callOf } from '../call.js';
import { createInventoryActivities } from '../../activities/inventory/activities.js';
import { hypervisorInventory } from '../../activities/inventory/for-hypervisor.js';
import { createSimulatedDisks } from '../../activities/simulator/disks.js';
import { createSimulatedHypervisor } from '../../activities/simulator/hypervisor.js';
import type { BeginInput, Call, MigrateInput } from '../../activities/types.js';
import { instanceWorkflowId, workPlace } from '../../model/addresses.js';
import type { IntentCall } from '../../model/operation.js';
import { intent } from '../../workflows/ctx.js';
import type { Place } from './case.js';
import { adopt } from './place.js';

/** A claim, a half disk, and a job that goes on while nobody follows it. */
export async function halfMigrated(place: Place): Promise<string> {
  const { inventory, datacenter, cloud } = place;
  const [source, target] = place.hosts;
  const instance = await adopt(place, { local: true });
  const hypervisor = createSimulatedHypervisor(datacenter);
  const control = createInventoryActivities({
    inventory,
    currentRun: () => ({ workflowId: instanceWorkflowId(cloud, instance), runId: place.uuid() }),
    isCurrentRun: () => Promise.resolve(true),
    isOpen: () => Promise.resolve(true),
    capabilities: hypervisor.capabilities,
  });
  const began = await control.beginOperation(beginning(place, instance), nobody);
  if (began.outcome !== 'began') throw new Error(`the half migration did not begin: ${began.outcome}`);
  const { owner } = began;
  const call: Call = { ...nobody, owner };
  const { disks, name } = began.instance;
  const path = disks[0]?.path ?? '';
  const note = (seq: number, undo: IntentCall) => control.admit({ owner, seq, undo }, nobody);

  const claim = place.uuid();
  await note(1, intent('releaseClaim', { claim }, 'the claim on the target'));
  const room = { vcpus: 1, memoryMiB: 128, exclude: [], from: source.name, waitSeconds: 0 };
  await control.claimHost({ claim, host: target.name, ...room }, call);

  const half = { instance, path, onlyIfMade: true };
  await note(2, intent('removeDisk', half, `the half copied disk ${path} on ${target.name}`, target));
  const disk = { instance, path, format: 'qcow2', bytes: 2 ** 30 } as const;
  await createSimulatedDisks(datacenter).prepareDisk(disk, { ...call, host: workPlace(target) });

  const old = intent('removeDisk', { instance, path }, `the old copy of the disk ${path}`, source);
  const migration = place.uuid();
  const both = { name, source, target, copy: ['vda'], bandwidthMiBs: null };
  const move: MigrateInput = { migration, instance, ...both, disks, timeoutSeconds: 600, cleanup: [old] };
  await note(3, intent('undoMigrate', move, `the migration of ${name} to ${target.name}`));
  const view = await hypervisor.look(source, instance);
  if (view !== null) await hypervisor.stamp(source, view, owner);
  await hypervisorInventory(inventory).migrationStarted({
    id: migration,
    operation: owner.operation,
    instance,
    source: source.name,
    target: target.name,
    storage: 'block',
  });
  const { ended } = await hypervisor.startMigration({ id: instance, ...both });
  ended.catch(() => undefined);
  while ((await hypervisor.job(source, instance)) === null) await new Promise(setImmediate);
  return instance;
}

const beginning = (place: Place, instance: string): BeginInput => ({
  kind: 'live-migrate',
  request: { id: place.uuid(), by: 'test', role: 'admin', run: null },
  instance,
  input: { instance },
  allowedStates: null,
  doing: 'migrating',
  respectsLock: true,
  respectsNeedsRepair: true,
  needs: null,
  create: null,
});

const nobody = callOf(null);
