/** The Temporal runtime of operations and runbooks: the only place, beside the entry, that knows Temporal. */
import {
  ActivityCancellationType,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
  type ActivityOptions as TemporalOptions,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { activityLimits, hostWorkerLimit, vantageLimit } from '../../activities/limits.js';
import { activityTable } from '../../activities/table.js';
import type { ActivityName, Envelope } from '../../activities/types.js';
import { DroverError } from '../../model/errors.js';
import {
  batchWorkflowId,
  controlQueue,
  delayedWorkflowId,
  hostOfPlace,
  hostQueue,
  isRecovery,
  recoveryQueue,
  runWorkflowId,
  subjectWorkflowId,
  vantageOfPlace,
  vantageQueue,
} from '../../model/addresses.js';
import { hostWorkerMissing, vantageMissing } from '../../model/missing-worker.js';
import type { OperationAsk } from '../../model/operation.js';
import { searchAttributes, searchAttributesOf } from '../search-attributes.js';
import type { ActivityOptions, Runtime, Word } from '../runtime.js';
import { asFailure, typed } from './failures.js';

/** What a run says to its child runs (`Runtime.tell`). */
export const wordSignal = defineSignal<[Word]>('word');

export function temporalRuntime(): Runtime {
  const { workflowId: own, memo } = workflowInfo();
  const cloud = own.split('/')[0] ?? '';
  // A namespace without drover's search attributes fails every workflow task that sets one (client/start.ts).
  const searchable = memo?.['searchable'] !== false;
  let shownPhase: string | undefined;
  const starting = new Map<string, Promise<unknown>>();
  return {
    async activity(name, input, options = {}) {
      const row = activityTable[name];
      const envelope: Envelope = {
        host: options.onHost ? hostOfPlace(options.onHost) : null,
        input: input as Record<string, unknown>,
        owner: options.owner ?? null,
        seq: options.seq ?? 0,
        undo: options.undo ?? null,
      };
      if (row.where === 'host' && envelope.undo && envelope.owner) {
        // The host's worker has no inventory: the intent is noted by a control worker before the host acts.
        await run(
          'admit',
          {
            host: null,
            input: { owner: envelope.owner, seq: envelope.seq, undo: envelope.undo },
            owner: null,
            seq: 0,
            undo: null,
          },
          {},
        );
      }
      return (await run(name, envelope, placeOf(cloud, options))) as never;
    },

    async child({ operation, subject, label, runbook, host, request, input }) {
      try {
        return (await executeChild(operation, {
          workflowId: subjectWorkflowId(cloud, operation, subject),
          args: [{ request, input }],
          ...(isRecovery(operation) ? { taskQueue: recoveryQueue(cloud) } : {}),
          parentClosePolicy: ParentClosePolicy.ABANDON,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
          staticSummary: `${operation} ${label}`,
          ...(searchable
            ? { typedSearchAttributes: searchAttributesOf({ cloud, operation, subject, runbook, host }) }
            : {}),
          memo: { label, by: request.by, ...(searchable ? {} : { searchable }) },
        })) as Record<string, unknown> | null;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          throw new DroverError(
            operation.startsWith('host.') ? 'HostBusy' : 'InstanceBusy',
            `${label} is busy with another operation`,
            {
              details: { workflowId: subjectWorkflowId(cloud, operation, subject) },
            },
          );
        }
        throw typed(error, operation);
      }
    },

    async childRun({ type, workflowId, label, runbook, by, argument }) {
      const attributes = searchAttributesOf({ cloud, operation: null, subject: null, runbook, host: null });
      try {
        const start = startChild(type, {
          workflowId,
          args: [argument],
          parentClosePolicy: ParentClosePolicy.ABANDON,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
          staticSummary: label,
          ...(searchable ? { typedSearchAttributes: attributes } : {}),
          memo: { label, by, ...(searchable ? {} : { searchable }) },
        });
        starting.set(workflowId, start);
        return await (await start).result();
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          throw new DroverError('RunBusy', `${workflowId} runs already`, { details: { workflowId } });
        }
        throw typed(error, label);
      } finally {
        starting.delete(workflowId);
      }
    },

    async later(order) {
      const { operation, label, request, subject, host } = order.child;
      try {
        await startChild('delayed-operation', {
          workflowId: delayedWorkflowId(cloud, order.of),
          args: [order],
          parentClosePolicy: ParentClosePolicy.ABANDON,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          staticSummary: `${operation} ${label}, later`,
          ...(searchable
            ? {
                typedSearchAttributes: searchAttributesOf({
                  cloud,
                  operation: null,
                  subject,
                  runbook: null,
                  host,
                }),
              }
            : {}),
          memo: { label, by: request.by, ...(searchable ? {} : { searchable }) },
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw typed(error, operation);
      }
    },

    async tell(workflowId, word) {
      try {
        // A signal to one that has not started is lost.
        await starting.get(workflowId);
        await getExternalWorkflowHandle(workflowId).signal(wordSignal, word);
      } catch (error) {
        // It has ended meanwhile: then there is nobody to tell.
        if (isCancellation(error)) throw typed(error, `to tell ${workflowId}`);
      }
    },

    hear(take) {
      setHandler(wordSignal, take);
    },

    scope(work) {
      const scope = new CancellationScope();
      return { result: scope.run(work), cancel: () => scope.cancel() };
    },

    async sleep(ms, summary) {
      try {
        await sleep(ms, { summary });
      } catch (error) {
        throw typed(error, summary);
      }
    },

    async until(holds, ms) {
      try {
        if (ms !== null) return await condition(holds, ms);
        await condition(holds);
        return true;
      } catch (error) {
        throw typed(error, 'the wait');
      }
    },

    serve(name, { validate, handle }) {
      setHandler(
        defineUpdate<{ said: string }, [OperationAsk]>(name),
        (ask) => handle(ask).catch((error: unknown) => Promise.reject(asFailure(error))),
        {
          validator(ask) {
            try {
              validate(ask);
            } catch (error) {
              throw asFailure(error);
            }
          },
        },
      );
    },
    async heardOut(work) {
      try {
        return await work();
      } finally {
        // Shielded: the answer to an ask is due to a cancelled operation's asker, too.
        if (!allHandlersFinished())
          await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
      }
    },

    runWorkflowId: (id) => runWorkflowId(cloud, id),
    batchWorkflowId: (id, step, batch) => batchWorkflowId(cloud, id, step, batch),
    subjectId: (operation, subject) => subjectWorkflowId(cloud, operation, subject),
    shielded: (work) => CancellationScope.nonCancellable(work),
    cancelled: () => CancellationScope.current().consideredCancelled,
    id: () => uuid4(),
    now: () => Date.now(),
    show(phase, details) {
      setCurrentDetails(details);
      // Each upsert is an event of the history: a run with many items shows the same phase after each.
      if (phase === shownPhase || !searchable) return;
      shownPhase = phase;
      upsertSearchAttributes([{ key: searchAttributes.phase, value: phase }]);
    },
  };
}

/** The queue of a task that is not for the workers of the workflow itself, and how long it may wait there. */
type Place = TemporalOptions & { onHost?: string; atVantage?: string };

function placeOf(cloud: string, { onHost, atVantage, byRecovery, within }: ActivityOptions): Place {
  if (byRecovery === true)
    return { taskQueue: recoveryQueue(cloud), scheduleToStartTimeout: hostWorkerLimit };
  if (atVantage) {
    const taskQueue = vantageQueue(cloud, atVantage);
    return { atVantage: vantageOfPlace(atVantage), taskQueue, scheduleToStartTimeout: vantageLimit };
  }
  if (!onHost) return {};
  const limits = within
    ? { scheduleToStartTimeout: within * 1000, scheduleToCloseTimeout: within * 1000 }
    : { scheduleToStartTimeout: hostWorkerLimit };
  // Not by the workflow's own queue: a recovery asks the same worker of the host.
  return { onHost: hostOfPlace(onHost), taskQueue: hostQueue(controlQueue(cloud), onHost), ...limits };
}

async function run(
  name: ActivityName,
  envelope: Envelope,
  { onHost, atVantage, ...place }: Place,
): Promise<unknown> {
  const row = activityTable[name];
  const proxies = proxyActivities<Record<string, (envelope: Envelope) => Promise<unknown>>>({
    ...optionsOf(row.class),
    ...place,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: (row.summary as (input: unknown) => string)(envelope.input).slice(0, 200),
  });
  try {
    return await proxies[name]?.(envelope);
  } catch (error) {
    if (onHost) throw typed(error, `${name} on ${onHost}`, hostWorkerMissing(onHost, `${name} on ${onHost}`));
    if (atVantage) throw typed(error, `${name} at ${atVantage}`, vantageMissing(atVantage, name));
    throw typed(error, name);
  }
}

function optionsOf(kind: keyof typeof activityLimits): TemporalOptions {
  const { startToClose, scheduleToClose, heartbeat, retryFirst, retryMost } = activityLimits[kind];
  return {
    startToCloseTimeout: startToClose,
    ...(scheduleToClose === null ? {} : { scheduleToCloseTimeout: scheduleToClose }),
    ...(heartbeat === null ? {} : { heartbeatTimeout: heartbeat }),
    retry: { initialInterval: retryFirst, maximumInterval: retryMost },
  };
}
