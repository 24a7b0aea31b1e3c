import { controlQueue, isRecovery, recoveryQueue } from './addresses.js';
import { allSteps, type FrozenRunbook } from './runbook.js';

/** A run that recovers hosts is a recovery itself: nothing else keeps it waiting. What it does beside runs with it. */
export const isRecoveryRun = ({ runbook, runbooks = {} }: FrozenRunbook): boolean =>
  allSteps(runbook).some(({ uses }) => uses !== undefined && isRecovery(uses)) ||
  Object.values(runbooks).some(isRecoveryRun);

/** Where a run of it is done. */
export const runQueue = (cloud: string, plan: FrozenRunbook): string =>
  isRecoveryRun(plan) ? recoveryQueue(cloud) : controlQueue(cloud);
