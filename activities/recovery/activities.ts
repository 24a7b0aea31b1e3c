import type { Implement } from '../types.js';
import { takeFence } from './brake.js';
import { createIncidentActivities, type IncidentDeps } from './incident.js';
import { casualties } from './plan.js';
import { recoveryMode } from './switches.js';
import type { RecoveryActivities } from './types.js';
import { watchdogEvidence } from './watchdog.js';

export function createRecoveryActivities(deps: IncidentDeps): Implement<RecoveryActivities> {
  const { inventory } = deps;
  return {
    ...createIncidentActivities(deps),
    recoveryMode: (input) => recoveryMode(inventory, input),
    takeFence: (input) => takeFence(deps, input),
    watchdogEvidence: (input) => watchdogEvidence(deps, input),
    casualties: (input) => casualties(inventory, input),
  };
}
