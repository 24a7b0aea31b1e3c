/**
 * Wrong runbooks and what is said about them. A missing expectation is written and fails the run, so that
 * someone reads it: each message must tell a stranger what to change.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatIssues } from '../../../config/yaml-file.js';
import { checkRunbook } from '../../../runbooks/language/check.js';
import { catalogue } from './catalogue.js';

const folder = join(import.meta.dirname, '../../runbooks/wrong');
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

describe('wrong runbooks', () => {
  test('there are enough of them', () => expect(files.length).toBeGreaterThanOrEqual(60));

  test.each(files)('%s', (file) => {
    const { runbook, issues } = checkRunbook(readFileSync(join(folder, file), 'utf8'), file, catalogue);
    expect(runbook).toBeUndefined();
    const told = `${formatIssues(issues)}\n`;
    const expectation = join(folder, file.replace(/\.yaml$/, '.expect'));
    if (!existsSync(expectation)) {
      writeFileSync(expectation, told);
      expect.fail(`${expectation} was written: read it, then run again`);
    }
    expect(told).toBe(readFileSync(expectation, 'utf8'));
  });
});
