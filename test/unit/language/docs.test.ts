/** The page for operators: its examples are right, and it leaves out no key and no error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { formatIssues } from '../../../config/issues.js';
import { errorTable } from '../../../model/error-table.js';
import { runbookJsonSchema } from '../../../runbooks/language/json-schema.js';
import { checkFiles } from '../../../runbooks/language/load.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/runbooks.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, source = '']) => source);

describe('docs/runbooks.md', () => {
  test('has an example for every part', () => expect(examples.length).toBeGreaterThanOrEqual(12));

  test.each(examples.map((source) => [/^name: (.*)$/m.exec(source)?.[1] ?? '', source]))(
    'the example %s is right',
    async (name, source) => {
      const [issues = []] = await checkFiles([{ file: `${name}.yaml`, source }], [], runbookCatalogue());
      expect(formatIssues(issues)).toBe('');
    },
  );

  test('uses every key of the language', () => {
    const { properties = {} } = runbookJsonSchema(runbookCatalogue());
    const { items } = Object(properties['steps']) as { items: { properties: object } };
    for (const key of [...Object.keys(properties), ...Object.keys(items.properties)]) {
      expect(examples.join('\n')).toMatch(new RegExp(`\\b${key}:`));
    }
  });

  test('tells every error that can be tried again', () => {
    for (const code of Object.keys(errorTable)) expect(page).toContain(`\`${code}\``);
  });
});
