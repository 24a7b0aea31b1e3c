/** Runbooks that use runbooks: found, checked at their own place, frozen together; a circle is refused. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFiles, findRunbook, listRunbooks, loadRunbook } from '../../../runbooks/language/load.js';
import { catalogue } from './catalogue.js';

/** A folder with these files: the steps (and what follows) of each. */
function folderOf(runbooks: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-tree-'));
  for (const [name, rest] of Object.entries(runbooks)) {
    writeFileSync(join(folder, `${name}.yaml`), `name: ${name}\ndescription: Some.\n${rest}`);
  }
  return folder;
}

const using = (...names: string[]): string =>
  `steps:\n${names.map((name, place) => `  - { id: s${place}, uses: runbook.${name} }\n`).join('')}`;
const leaf = 'steps:\n  - { id: enable, uses: host.enable, with: { host: node-1 } }\n';

const issuesOf = async (name: string, folder: string): Promise<string[]> => {
  const [issues = []] = await checkFiles([await findRunbook(name, [folder])], [folder], catalogue);
  return issues.map(({ file, line, column, message, hint }) =>
    [`${file.split('/').at(-1)}:${line}:${column}: ${message}`, ...(hint === undefined ? [] : [hint])].join(
      ' — ',
    ),
  );
};

describe('a runbook that uses others', () => {
  const folder = folderOf({
    site: using('rack', 'leaf'),
    rack: `inputs:\n  rack: { type: string, default: r1 }\n${using('leaf')}outputs: { done: '\${{ steps.s0.done }}' }\n`,
    leaf,
    undoing: `steps:\n  - { id: a, uses: host.enable, with: { host: n }, undo: { uses: runbook.leaf } }\n`,
  });

  test('is frozen with them, each with its text and digest', async () => {
    const site = await loadRunbook('site', [folder], catalogue);
    expect(Object.keys(site.runbooks ?? {})).toEqual(['rack', 'leaf']);
    const { rack, leaf: end } = site.runbooks ?? {};
    expect(rack?.runbooks?.['leaf']).toEqual(end);
    expect(rack?.source).toContain('name: rack');
    expect(new Set([site.digest, rack?.digest, end?.digest]).size).toBe(3);
    expect(end?.runbooks).toBeUndefined();
    expect(await loadRunbook('rack', [folder], catalogue)).toEqual(rack);
  });

  test('those of an undo, too', async () => {
    expect((await loadRunbook('undoing', [folder], catalogue)).runbooks?.['leaf']?.name).toBe('leaf');
  });

  test('knows what they take and give', async () => {
    const wrong = folderOf({
      leaf: `inputs:\n  host: { type: host, description: Which. }\n${leaf}outputs: { count: '\${{ steps.enable.done }}' }\n`,
      top:
        'steps:\n  - { id: a, uses: runbook.leaf }\n  - { id: b, uses: runbook.leaf, with: { host: 3 } }\n' +
        "  - { id: c, wait: 1s, if: steps.a.result.cuont > 0 }\n  - { id: d, wait: 1s, name: 'n: ${{ steps.a.result.count + 1 }}' }\n",
    });
    expect(await issuesOf('top', wrong)).toEqual([
      'top.yaml:4:5: runbook.leaf needs "host" in its with — Which.',
      "top.yaml:5:48: must be a string, not 3 — put it in quotes: '3'",
      'top.yaml:6:43: "cuont" is no part of steps.a.result — did you mean "count"?',
    ]);
  });

  test('tells the mistakes of those at their own place, once', async () => {
    const wrong = folderOf({
      top: using('left', 'right', 'nothing'),
      left: using('bad'),
      right: using('bad'),
      bad: 'steps:\n  - { id: a, uses: host.enabel }\n',
    });
    expect(await issuesOf('top', wrong)).toEqual([
      'top.yaml:6:21: there is no runbook "nothing" — see `drover runbook list`; they are found in the folders that drover.yaml names',
      'bad.yaml:4:20: unknown operation "host.enabel" — did you mean "host.enable"?',
    ]);
    await expect(loadRunbook('top', [wrong], catalogue)).rejects.toMatchObject({ code: 'InvalidRunbook' });
    const listed = await listRunbooks([wrong], catalogue);
    expect(listed.filter(({ runbook }) => runbook !== undefined).map(({ name }) => name)).not.toContain(
      'left',
    );
  });

  test("the user's own comes before ours", async () => {
    const own = folderOf({ 'drain-host': leaf, top: using('drain-host') });
    expect((await loadRunbook('top', [own], catalogue)).runbooks?.['drain-host']?.source).toContain('Some.');
  });
});

describe('a way without an end', () => {
  test('is refused by naming it', async () => {
    const folder = folderOf({ a: using('b'), b: using('c'), c: using('leaf', 'a'), leaf });
    expect(await issuesOf('a', folder)).toEqual([
      'c.yaml:5:21: the runbooks use each other without an end: a → b → c → a — one of them must do without',
    ]);
    await expect(loadRunbook('b', [folder], catalogue)).rejects.toThrow('b → c → a → b');
  });

  test('also the shortest', async () => {
    expect(await issuesOf('self', folderOf({ self: using('self') }))).toEqual([
      'self.yaml:4:21: the runbooks use each other without an end: self → self — one of them must do without',
    ]);
  });

  test('five deep is enough', async () => {
    const folder = folderOf({
      a: using('b'),
      b: using('c'),
      c: using('d'),
      d: using('e'),
      e: using('f'),
      f: leaf,
    });
    expect(await issuesOf('b', folder)).toEqual([]);
    expect(await issuesOf('a', folder)).toEqual([
      'e.yaml:4:21: runbooks may stand 5 deep in each other, not more: a → b → c → d → e → f — take the steps of one of them in here',
    ]);
    // `b` was grown on a short way first, and is as high on the long one.
    const wide = folderOf({ top: using('c', 'b'), b: using('c'), c: using('d'), d: using('e'), e: leaf });
    expect(await issuesOf('top', wide)).toEqual([]);
    const high = folderOf({
      top: using('d', 'a'),
      a: using('b'),
      b: using('c'),
      c: using('d'),
      d: using('e'),
      e: leaf,
    });
    expect(await issuesOf('top', high)).toEqual([expect.stringContaining('top → a → b → c → d → …')]);
  });

  test('many that use many are read once each', async () => {
    const level = (next: string): string => using(...Array.from({ length: 100 }, () => next));
    const folder = folderOf({ a: level('b'), b: level('c'), c: level('d'), d: level('e'), e: leaf });
    const start = performance.now();
    expect(await issuesOf('a', folder)).toEqual([]);
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});
