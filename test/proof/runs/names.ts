/** The runs of runbooks that are swept: one for each part of the language that has its own way to go wrong. */
export const runCaseNames = ['move', 'together', 'within', 'asked', 'batch'] as const;

export type RunCaseName = (typeof runCaseNames)[number];
