import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { configJsonSchema } from '../../../config/config.js';
import { runbookJsonSchema } from '../../../runbooks/language/json-schema.js';
import { shippedFolder } from '../../../runbooks/language/load.js';

const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

// If this fails: drover runbook schema > runbooks/runbook.schema.json, and read the difference.
test('the schema beside the shipped runbooks is that of the language and the operations that there are', async () => {
  const shipped = await read(join(shippedFolder(), 'runbook.schema.json'));
  expect(shipped).toEqual(JSON.parse(JSON.stringify(runbookJsonSchema(runbookCatalogue()))));
});

// If this fails, print it to the file:
// node -e "import('./dist/config/config.js').then((c) => console.log(JSON.stringify(c.configJsonSchema(), null, 2)))"
test('the schema of drover.yaml that is shipped is that of the configuration', async () => {
  const shipped = await read(join(import.meta.dirname, '../../../config/drover.schema.json'));
  expect(shipped).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});
