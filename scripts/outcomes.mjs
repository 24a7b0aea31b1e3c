/**
 * A vitest reporter for scripts/test.mjs: what passed, what failed and with which words, and what needed a second
 * attempt, as JSON in the file that DROVER_OUTCOMES names.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const linesTold = 15;

export default class Outcomes {
  onTestRunEnd(modules, unhandled) {
    writeFileSync(process.env['DROVER_OUTCOMES'], JSON.stringify(outcomesOf(modules, unhandled)));
  }
}

export function outcomesOf(modules, unhandled) {
  const found = { passed: 0, skipped: 0, failed: [], unsteady: [] };
  for (const module of modules) {
    const file = relative(process.cwd(), module.moduleId);
    // A file that does not load, or whose set-up fails, names no test.
    for (const whole of [module, ...module.children.allSuites()])
      for (const error of whole.errors()) found.failed.push(told([file, whole.fullName], error));
    for (const test of module.children.allTests()) {
      const { state, errors = [] } = test.result();
      if (state === 'passed') found.passed += 1;
      if (state === 'skipped') found.skipped += 1;
      if (state === 'failed') {
        const [first, last] = [errors[0], errors.at(-1)];
        // A second attempt may fail of what the first one left.
        const more = last?.message === first?.message ? '' : again(last);
        found.failed.push(told([file, test.fullName], first) + more);
      }
      // The errors of the attempts before stay with a test that passed at last.
      if (state === 'passed' && test.diagnostic()?.flaky)
        found.unsteady.push(told([file, test.fullName], errors[0]));
    }
  }
  for (const error of unhandled) found.failed.push(told(['outside of any test'], error));
  return found;
}

/** The name and file of what failed, then the first lines of what it said, and where. */
function told(names, error) {
  const { message = String(error), diff = '', stack = '' } = error ?? {};
  const at = stack.split('\n').find((line) => /^\s+at /.test(line) && !line.includes('node_modules'));
  const says = [...lines(message), ...lines(diff)].slice(0, linesTold);
  return [
    names.filter(Boolean).join(': '),
    ...[...says, at?.trim()].filter(Boolean).map((line) => `      ${line}`),
  ].join('\n');
}

const again = (error) =>
  `\n      and at the last attempt: ${lines(String(error?.message)).slice(0, linesTold).join(' ')}`;

// oxlint-disable-next-line no-control-regex -- colours
const lines = (text) => text.replaceAll(/\u001b\[[0-9;]*m/g, '').split('\n');
