/** The runs of runbooks that are swept. */
export const runCaseNames = ['batch'] as const;
