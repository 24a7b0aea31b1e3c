/**
 * Each folder here is a scenario: README.md says what happens and what must hold, scenario.yaml plays it on a cloud in
 * virtual time, log.expect is its golden log.
 */
import { readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { endOf } from './run/ending.js';
import { logOf } from './run/log.js';
import { parseScenario } from './run/scenario.js';
import { openStage, play } from './run/stage.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && /^\d{2,3}-/.test(entry.name))
  .map(({ name }) => name)
  .toSorted();

async function logged(folder: string): Promise<string> {
  const file = join(folder, 'scenario.yaml');
  const stage = await openStage(parseScenario(readFileSync(file, 'utf8'), file), file);
  try {
    await play(stage);
    const lines = [...logOf(stage), '', ...(await endOf(stage.cloud))];
    return `${lines.map((line) => timeless(line)).join('\n')}\n`;
  } finally {
    await stage.cloud.close();
  }

  /** Times as offsets, as the rest of the log. */
  function timeless(line: string): string {
    const { start } = stage.cloud.clock;
    return line.replaceAll(
      /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g,
      (time) => `+${(Date.parse(time) - start) / 1000}s`,
    );
  }
}

test('there are scenarios, each with its story', () => {
  expect(names.length).toBeGreaterThanOrEqual(34);
  for (const name of names) expect(readFileSync(join(here, name, 'README.md'), 'utf8')).toMatch(/^# .+\n\n/);
});

describe.each(names)('%s', (name) => {
  const folder = join(here, name);
  const expectation = join(folder, 'log.expect');

  test('goes as it is told', { timeout: 1_800_000 }, async () => {
    const log = await logged(folder);
    if (!existsSync(expectation)) {
      writeFileSync(expectation, log);
      throw new Error(`${expectation} was not there and is written now: read it line by line, then keep it`);
    }
    expect(log).toBe(readFileSync(expectation, 'utf8'));
  });
});
