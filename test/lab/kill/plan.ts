/** What the test and its worker processes tell each other, in files. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `before`: the step has not begun; `after`: it is done, and its answer is not told. */
export type Position = 'before' | 'after';

/** A workflow that is held at one of its steps. */
export interface Halt {
  workflowId: string;
  /** Of its activities, from 1, as Temporal numbers them. */
  step: number;
  position: Position;
}

interface Plan {
  wave: number;
  halts: Halt[];
}

export interface Board {
  /** Written by the test before a wave. */
  plan(plan: Plan): void;
  /** The plan of this wave for a step; undefined for most. */
  halt(workflowId: string, step: number): { wave: number; halt: Halt } | undefined;
  setHeld(wave: number, workflowId: string): void;
  isHeld(wave: number, workflowId: string): boolean;
  /** The blow has fallen: who is held goes on. */
  release(wave: number): void;
  isReleased(wave: number): boolean;
}

export function openBoard(folder: string): Board {
  const planFile = join(folder, 'halts.json');
  const held = (wave: number, workflowId: string) =>
    join(folder, `held-${wave}-${createHash('sha1').update(workflowId).digest('hex').slice(0, 12)}`);
  const released = (wave: number) => join(folder, `released-${wave}`);
  return {
    plan(plan) {
      // Never half written: workers read it at every step.
      writeFileSync(`${planFile}.new`, JSON.stringify(plan));
      renameSync(`${planFile}.new`, planFile);
    },
    halt(workflowId, step) {
      if (!existsSync(planFile)) return undefined;
      const { wave, halts } = JSON.parse(readFileSync(planFile, 'utf8')) as Plan;
      const halt = halts.find((each) => each.workflowId === workflowId && each.step === step);
      return halt && !existsSync(released(wave)) ? { wave, halt } : undefined;
    },
    setHeld: (wave, workflowId) => writeFileSync(held(wave, workflowId), ''),
    isHeld: (wave, workflowId) => existsSync(held(wave, workflowId)),
    release: (wave) => writeFileSync(released(wave), ''),
    isReleased: (wave) => existsSync(released(wave)),
  };
}
