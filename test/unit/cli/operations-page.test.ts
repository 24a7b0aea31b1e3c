import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { operationsPage } from '../../../cli/operations-page.js';
import { operations } from '../../../workflows/catalogue.js';
import { generalErrors } from '../../../workflows/general-errors.js';

const file = 'docs/operations.md';

test('docs/operations.md is that of the declarations; `npm run docs` writes it anew', async () => {
  const options = await resolveConfig(file);
  const page = await format(await operationsPage(), { ...options, filepath: file });
  // With --update it writes the page instead of comparing it.
  await expect(page).toMatchFileSnapshot(resolve(file));
});

test('a declaration names no general error again, and no error twice', () => {
  for (const { name, target, errors } of operations.values()) {
    const all = [...generalErrors[target], ...errors];
    expect(new Set(all).size, `${target}.${name}`).toBe(all.length);
  }
});

test('what is undone is one plain text that ends as a sentence does', () => {
  for (const { name, undone } of operations.values()) expect(undone, name).toMatch(/^[A-Z].*\.$/);
});
