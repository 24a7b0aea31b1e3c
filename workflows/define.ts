import type { z } from 'zod';
import type { Capability } from '../activities/hypervisor/port.js';
import type { ErrorCode } from '../model/errors.js';
import type { InstancePatch } from '../model/operation.js';
import type { Flavor, Instance, InstanceState } from '../model/instance.js';
import type { NewInstance, PlacementRequest } from '../activities/types.js';
import type { Ctx, HostCtx } from './ctx.js';

/** What an operation found to be so at its end, and what it answers to who asked. */
export interface Outcome {
  patch: InstancePatch;
  result?: Record<string, unknown>;
  /** Sentences of what is still wrong: the operation is then recorded as CleanupIncomplete. */
  left?: string[];
}

interface Declaration<I extends z.ZodObject> {
  name: string;
  summary: string;
  input: I;
  /** What it may end with beside the general ones (general-errors.ts), which every operation may. */
  errors: readonly ErrorCode[];
  /** One sentence: what is taken back when it fails or is cancelled, and what is not. */
  undone: string;
}

export interface InstanceOperation<I extends z.ZodObject = z.ZodObject> extends Declaration<I> {
  target: 'instance';
  /** States from which it may start; 'any' but deleted. */
  allowedStates: readonly InstanceState[] | 'any';
  /** In which state it leaves the instance when it succeeds; 'as seen' writes what the hypervisor tells. */
  endsIn: readonly InstanceState[] | 'as it was' | 'as seen';
  /** The word for the task while it runs: `instance web-1: active -> migrating (live-migrate)`. */
  doing: string;
  /** What the hypervisor must be able to do; checked before any side effect. */
  needs?: Capability;
  /** False for what does not change the instance or rescues it. */
  respectsLock?: boolean;
  respectsNeedsRepair?: boolean;
  /**
   * It changes its record and no guest: it may begin whatever its host says, and whatever an earlier operation left.
   */
  recordOnly?: boolean;
  /**
   * It ends what runs on the instance, instead of being refused, within so many seconds. For what rescues an instance
   * whose host is proven to be off, and nothing else.
   */
  supersedesWithin?: number;
  /** What the instance is when, at an unexpected end, no host knows its guest. */
  whenGone?: InstanceState;
  /** Launch alone: the row to make from the input. */
  creates?: (input: z.output<I>) => NewInstance;
  /**
   * For what takes room on a host: what it asks for. Its claim asks for this very thing, and so does a dry run. Null where
   * with this input, or as the instance is, nothing is placed; the instance is null where the operation makes it, the
   * flavor where none was named. Of several the first that a host can take.
   */
  places?: (
    input: z.output<I>,
    instance: Instance | null,
    flavor: Flavor | null,
  ) => PlacementRequest | [PlacementRequest, PlacementRequest?] | null;
  run(input: z.output<I>, ctx: Ctx): Promise<Outcome>;
}

export interface HostOperation<I extends z.ZodObject = z.ZodObject> extends Declaration<I> {
  target: 'host';
  /**
   * True for what is more than one change of the inventory: the rules are asked before it begins, and it has a record
   * from its beginning on. The others write theirs with the change.
   */
  takesTime?: boolean;
  /** Asked for while one is open on the host, it is that one: its answer is waited for, and nothing is refused as busy. */
  joins?: boolean;
  run(input: z.output<I>, ctx: HostCtx): Promise<Record<string, unknown>>;
}

export type Operation = InstanceOperation | HostOperation;

/**
 * Declares an operation. The command line, the runbook's `uses`, the checks and the records derive from this
 * one declaration; the wrapper (operate.ts) parses, admits, unwinds and records, so `run` is only the story.
 */
export function defineOperation<I extends z.ZodObject>(
  operation: Omit<InstanceOperation<I>, 'target'>,
): InstanceOperation {
  // The registry holds operations of every input; only the wrapper calls run, and it parses with this very schema.
  return { ...operation, target: 'instance' } as unknown as InstanceOperation;
}

export function defineHostOperation<I extends z.ZodObject>(
  operation: Omit<HostOperation<I>, 'target'>,
): HostOperation {
  return { ...operation, target: 'host' } as unknown as HostOperation;
}

/** The name by which runbooks (`uses`) and Temporal (workflow type) know it: `instance.live-migrate`. */
export const operationKey = (operation: Operation): string => `${operation.target}.${operation.name}`;
