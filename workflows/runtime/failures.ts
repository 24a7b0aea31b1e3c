/** Failures as Temporal brings them, and as it is given them. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';
import { DroverError, isErrorCode, type ErrorRecord } from '../../model/errors.js';

/** Every failure that Temporal brings becomes one row of the error table. `missing`: what it means that nobody took the task in time. */
export function typed(error: unknown, what: string, missing?: DroverError): unknown {
  if (isCancellation(error)) return new DroverError('Cancelled', `${what} was cancelled`, { cause: error });
  const cause =
    error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    const record = cause.details?.[0] as ErrorRecord | undefined;
    return new DroverError(
      cause.type,
      cause.message,
      record ? { details: record.details, hint: record.hint } : {},
    );
  }
  if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START' && missing) return missing;
  if (cause instanceof TimeoutFailure)
    return new DroverError('TimedOut', `${what} did not end in time (${cause.timeoutType})`);
  if (cause instanceof TerminatedFailure) {
    return new DroverError(
      'Cancelled',
      `${what} was terminated from outside; the janitor settles what it left`,
    );
  }
  return error instanceof DroverError
    ? error
    : new DroverError('Internal', cause instanceof Error ? cause.message : String(cause));
}

/** What a workflow throws at its end: a cancel stays a cancel for Temporal, all else is final. */
export function asFailure(error: unknown): Error {
  if (!(error instanceof DroverError)) return error instanceof Error ? error : new Error(String(error));
  if (error.code === 'Cancelled' && CancellationScope.current().consideredCancelled)
    return new CancelledFailure(error.message);
  const failure = ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: true,
    details: [error.toRecord()],
  });
  // An expected failure: the Temporal UI shows the sentence, and not where in our code it was made.
  failure.stack = '';
  return failure;
}
