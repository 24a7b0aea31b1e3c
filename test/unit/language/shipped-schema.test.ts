import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { configJsonSchema } from '../../../config/config.js';
import { runbookJsonSchema } from '../../../runbooks/language/json-schema.js';
import { shippedFolder } from '../../../runbooks/language/load.js';

/** `npm run docs` writes the files anew; read the difference. */
async function isWhatIsShipped(schema: unknown, file: string): Promise<void> {
  const options = await resolveConfig(file);
  const text = await format(JSON.stringify(schema), { ...options, filepath: file });
  await expect(text).toMatchFileSnapshot(file);
}

test('the schema beside the shipped runbooks is that of the language and the operations that there are', () =>
  isWhatIsShipped(runbookJsonSchema(runbookCatalogue()), join(shippedFolder(), 'runbook.schema.json')));

test('the schema of drover.yaml that is shipped is that of the configuration', () =>
  isWhatIsShipped(configJsonSchema(), join(import.meta.dirname, '../../../config/drover.schema.json')));
