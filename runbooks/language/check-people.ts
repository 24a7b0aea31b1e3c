/** Checks what a step says of people who approve, and of errors that are tried again. */
import type { FileIssue, Path } from '../../config/yaml-file.js';
import { didYouMean } from '../../model/did-you-mean.js';
import { parseDuration } from '../../model/duration.js';
import { errorTable } from '../../model/error-table.js';
import { isErrorCode } from '../../model/errors.js';
import type { Approve, Retry } from '../../model/runbook.js';
import { checkDuration } from './check-values.js';
import { checkTexts, type Checker, type Issues } from './check-with.js';

const roles = ['role:operator', 'role:admin'];

export function checkApprove(approve: Approve, path: Path, checker: Checker, file: Issues): FileIssue[] {
  const { message, from = [], count, within } = approve;
  const whose = from.flatMap((who, place) => {
    const problem = wrongName(who);
    return problem === undefined ? [] : [file.issue([...path, 'from', place], problem.message, problem)];
  });
  const persons = new Set(from).size;
  const few = from.length > 0 && persons < count && !from.some((who) => who.startsWith('role:'));
  return [
    ...(message === undefined ? [] : checkTexts(message, [...path, 'message'], checker, file)),
    ...whose,
    ...(few ? [file.issue([...path, 'count'], `${count} must approve, but from names only ${persons}`)] : []),
    ...checkDuration(within, [...path, 'within'], checker, file),
  ];
}

function wrongName(who: string): { message: string; hint: string } | undefined {
  if (who.includes('${{'))
    return {
      message: 'who may approve is named as it is, without expressions',
      hint: 'take role:operator or role:admin',
    };
  if (roles.includes(who)) return undefined;
  const meant =
    didYouMean(who, roles) ??
    (/^(operator|admin)s?$/.exec(who)?.[1] ? `role:${who.replace(/s$/, '')}` : undefined);
  if (meant !== undefined) return { message: `"${who}" is no role`, hint: `did you mean "${meant}"?` };
  if (!who.startsWith('role:')) return undefined;
  return { message: `"${who}" may not approve`, hint: `roles that may: ${roles.join(', ')}` };
}

/** Codes that end a step whatever it says: a person said so. */
const final = new Set(['Cancelled', 'Rejected']);

export function checkRetry(retry: Retry, path: Path, checker: Checker, file: Issues): FileIssue[] {
  const { backoff, 'max-backoff': longest, on = [] } = retry;
  const codes = on.flatMap((code, place) => {
    const at = [...path, 'on', place];
    if (final.has(code)) return [file.issue(at, `${code} is never tried again: somebody wanted it`)];
    if (isErrorCode(code)) return [];
    const meant = didYouMean(code, Object.keys(errorTable));
    const hint = meant === undefined ? 'docs/runbooks.md lists them' : `did you mean "${meant}"?`;
    return [file.issue(at, `there is no error "${code}"`, { hint })];
  });
  const above = (parseDuration(backoff) ?? 0) > (parseDuration(longest) ?? Infinity);
  return [
    ...codes,
    ...checkDuration(backoff, [...path, 'backoff'], checker, file),
    ...checkDuration(longest, [...path, 'max-backoff'], checker, file),
    ...(above
      ? [file.issue([...path, 'backoff'], `the first wait is longer than the longest, ${longest}`)]
      : []),
  ];
}
