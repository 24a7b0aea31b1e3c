/** What drover.yaml says of recoveries (`recovery:`), and what holds without it. Lengths of time are seconds. */
export interface RecoveryRules {
  /** Names of the vantage points, at least two. */
  vantages: string[];
  /** How long an unclear or hung host is asked again before a person is. */
  confirmSeconds: number;
  /** Between two rounds of questions. */
  askEverySeconds: number;
  /** Between the verdict and the fence, so that those that fail with it are seen. */
  settleSeconds: number;
  budget: FenceBudget;
  hung: 'ask' | 'fence';
  readmit: 'manual' | 'auto';
  /** Whether a readmission moves back what was evacuated. */
  moveBack: boolean;
  /** Evacuations that run at a time, in all and to one host. */
  atATime: number;
  perTarget: number;
  /** How often, and for how long, what found no room is tried again. */
  retryEverySeconds: number;
  retryForSeconds: number;
  /** Added to the time of a watchdog or lease before it counts as run out. */
  watchdogMarginSeconds: number;
}

/** How many hosts may be fenced within the window. */
export interface FenceBudget {
  /** Of one zone. */
  zone: number;
  fleet: number;
  windowSeconds: number;
}

export const defaultRecoveryRules: RecoveryRules = {
  vantages: ['north', 'south'],
  confirmSeconds: 300,
  askEverySeconds: 5,
  settleSeconds: 30,
  budget: { zone: 2, fleet: 3, windowSeconds: 3600 },
  hung: 'ask',
  readmit: 'manual',
  moveBack: false,
  atATime: 32,
  perTarget: 4,
  retryEverySeconds: 60,
  retryForSeconds: 86_400,
  watchdogMarginSeconds: 10,
};
