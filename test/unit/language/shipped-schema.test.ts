import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { runbookJsonSchema } from '../../../runbooks/language/json-schema.js';
import { shippedFolder } from '../../../runbooks/language/load.js';

// If this fails: drover runbook schema > runbooks/runbook.schema.json, and read the difference.
test('the schema beside the shipped runbooks is that of the language and the operations that there are', async () => {
  const shipped: unknown = JSON.parse(await readFile(join(shippedFolder(), 'runbook.schema.json'), 'utf8'));
  expect(shipped).toEqual(JSON.parse(JSON.stringify(runbookJsonSchema(runbookCatalogue()))));
});
