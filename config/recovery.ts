/** What drover.yaml says of recoveries: who looks, when a host may be fenced, how its guests are brought back. */
import { z } from 'zod';
import { durationSchema, formatDuration, parseDuration } from '../model/duration.js';
import { defaultRecoveryRules as usual, type RecoveryRules } from '../model/recovery.js';
import type { FileIssue, YamlFile } from './yaml-file.js';

const time = (seconds: number) => durationSchema.default(formatDuration(seconds));
const count = (usually: number) => z.int().positive().default(usually);

export const recoverySchema = z
  .strictObject({
    vantages: z
      .array(
        z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, {
          error: 'must begin with a small letter and go on with small letters, digits and -',
        }),
      )
      .default(usual.vantages)
      .describe(
        'The vantage points from which a silent host is asked, at least two that fail apart; each is a process ' +
          '`drover worker --vantage NAME`. The simulated north and south are served by the worker itself.',
      ),
    confirm: time(usual.confirmSeconds).describe(
      'How long a host of which the vantage points say nothing clear is asked again before a person is asked.',
    ),
    ask_every: time(usual.askEverySeconds).describe('How long it waits between two rounds of questions.'),
    settle: time(usual.settleSeconds).describe(
      'How long it waits between the verdict and the fence, so that hosts which fail for the same reason are seen and counted.',
    ),
    budget: z
      .strictObject({
        zone: count(usual.budget.zone).describe(
          'Hosts of one zone that may be fenced within the window, those suspected now counted in. A host without a zone is a zone of its own.',
        ),
        fleet: count(usual.budget.fleet).describe(
          'Hosts of the fleet that may be fenced within the window, those suspected now counted in.',
        ),
        window: time(usual.budget.windowSeconds).describe('How long a fence counts.'),
      })
      .prefault({})
      .describe('The storm brake: what would fence more hosts than this waits for a person.'),
    hung: z
      .enum(['ask', 'fence'])
      .default(usual.hung)
      .describe(
        'A host that lives while its hypervisor answers nobody, so that its guests may well run: ask a person, or fence it after `confirm`.',
      ),
    readmit: z
      .enum(['manual', 'auto'])
      .default(usual.readmit)
      .describe(
        'A host that comes back is quarantined: until `drover host readmit`, or readmitted by drover itself once it is clean.',
      ),
    move_back: z
      .boolean()
      .default(usual.moveBack)
      .describe('Whether a readmission moves what was evacuated back to its host.'),
    at_a_time: count(usual.atATime).describe('Evacuations that one recovery runs at a time.'),
    per_target: count(usual.perTarget).describe('Evacuations that run at a time towards one host.'),
    retry_every: time(usual.retryEverySeconds).describe(
      'How often an instance that found no room is tried again.',
    ),
    retry_for: time(usual.retryForSeconds).describe(
      'How long an instance waits for room before the recovery ends without it.',
    ),
    watchdog_margin: time(usual.watchdogMarginSeconds).describe(
      'What is added to the time of a watchdog or lease before it counts as run out.',
    ),
  })
  .prefault({})
  .describe('What happens when a host dies: `drover host recover`.');

type Told = z.output<typeof recoverySchema>;

export function recoveryOf(told: Told): RecoveryRules {
  return {
    vantages: told.vantages,
    confirmSeconds: seconds(told.confirm),
    askEverySeconds: seconds(told.ask_every),
    settleSeconds: seconds(told.settle),
    budget: {
      zone: told.budget.zone,
      fleet: told.budget.fleet,
      windowSeconds: seconds(told.budget.window),
    },
    hung: told.hung,
    readmit: told.readmit,
    moveBack: told.move_back,
    atATime: told.at_a_time,
    perTarget: told.per_target,
    retryEverySeconds: seconds(told.retry_every),
    retryForSeconds: seconds(told.retry_for),
    watchdogMarginSeconds: seconds(told.watchdog_margin),
  };
}

const seconds = (text: string): number => parseDuration(text) ?? 0;

/** What the values must be to each other. */
export function recoveryIssues(told: Told, issue: YamlFile<unknown>['issue']): FileIssue[] {
  const issues: FileIssue[] = [];
  const add = (path: string[], message: string, hint: string) =>
    issues.push(issue(['recovery', ...path], message, { hint }));
  const { vantages, budget } = told;
  const twice = vantages.find((name, index) => vantages.indexOf(name) !== index);
  if (twice !== undefined) add(['vantages'], `names ${twice} twice`, 'each is a place of its own');
  else if (vantages.length < 2)
    add(
      ['vantages'],
      'must name at least two vantage points',
      'one that is cut off itself takes every host for dead: nothing is concluded from one',
    );
  if (budget.zone > budget.fleet)
    add(
      ['budget', 'zone'],
      `must not be more than that of the fleet (${budget.fleet})`,
      'the fleet’s budget holds for all zones together',
    );
  for (const key of ['ask_every', 'retry_every'] as const)
    if (seconds(told[key]) === 0) add([key], 'must be at least 1s', 'without a pause it would ask for ever');
  if (seconds(budget.window) < 60)
    add(['budget', 'window'], 'must be at least 1m', 'a fence that is forgotten at once is no budget');
  return issues;
}
