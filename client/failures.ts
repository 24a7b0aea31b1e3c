/** Whatever waiting for a workflow brings, as a row of the error table. */
import { WorkflowFailedError, WorkflowUpdateFailedError, isGrpcServiceError } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { DroverError, isErrorCode, type ErrorRecord } from '../model/errors.js';
import { grpcCode } from '../temporal/grpc.js';

/** gRPC: the server did not answer in time, or not at all. */
const away = new Set([4, 14]);

export const isAway = (error: unknown): boolean => away.has(grpcCode(error) ?? -1);

export const isAlreadyStarted = (error: unknown): boolean =>
  error instanceof WorkflowExecutionAlreadyStartedError;

/** `what` begins the sentence: `live-migrate of web-1`. */
export function asDroverError(error: unknown, what: string): DroverError {
  if (error instanceof DroverError) return error;
  const wrapped = error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError;
  const cause = wrapped ? error.cause : error;
  if (cause instanceof ApplicationFailure) return fromFailure(cause, what);
  if (cause instanceof CancelledFailure)
    return new DroverError('Cancelled', `${what} was cancelled`, { cause });
  if (cause instanceof TerminatedFailure) return terminated(cause, what);
  if (cause instanceof TimeoutFailure) {
    return new DroverError('TimedOut', `${what} did not end within the time limit of its workflow`, {
      cause,
    });
  }
  if (cause instanceof WorkflowNotFoundError) {
    return new DroverError('NotFound', `Temporal knows no workflow of ${what} (any more)`, {
      hint: 'Temporal forgets what ended long ago; the record is in `drover instance history` and `drover run show`',
      cause,
    });
  }
  if (isGrpcServiceError(cause) || grpcCode(cause) !== undefined) return fromGrpc(cause, what);
  const message = cause instanceof Error ? cause.message : String(cause);
  return new DroverError('Internal', `${what}: ${message}`, { cause });
}

function fromFailure(failure: ApplicationFailure, what: string): DroverError {
  const { type, message } = failure;
  if (!isErrorCode(type)) {
    return new DroverError('Internal', `${what} failed: ${message}`, { cause: failure });
  }
  const record = failure.details?.[0] as ErrorRecord | undefined;
  return new DroverError(type, message, record ? { details: record.details, hint: record.hint } : {});
}

function terminated(cause: TerminatedFailure, what: string): DroverError {
  const reason =
    cause.message && cause.message !== 'Workflow execution terminated' ? ` ("${cause.message}")` : '';
  return new DroverError('Cancelled', `${what} was terminated from outside${reason}, without cleaning up`, {
    hint: 'the janitor settles what it left, within a minute; then see `drover instance show`',
    cause,
  });
}

function fromGrpc(error: unknown, what: string): DroverError {
  const message =
    error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : '';
  if (isAway(error)) {
    return new DroverError(
      'TemporalUnreachable',
      `${what}: the Temporal server does not answer (${message})`,
      {
        hint: 'work that has started goes on once it answers again; check the server with `drover doctor`',
        cause: error,
      },
    );
  }
  return new DroverError('Internal', `${what}: Temporal refused: ${message}`, { cause: error });
}
