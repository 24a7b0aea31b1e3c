/** Finds runbooks, shipped ones and the user's, and makes of one what a run carries. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { throwIssues, type FileIssue } from '../../config/yaml-file.js';
import { didYouMean } from '../../model/did-you-mean.js';
import { DroverError } from '../../model/errors.js';
import { LANGUAGE_VERSION, type FrozenRunbook, type Runbook } from '../../model/runbook.js';
import type { Catalogue, Signature } from './catalogue.js';
import { growTree, issuesOf, type Library, type RunbookText, type Tree } from './tree.js';

export type { RunbookText } from './tree.js';

export interface ListedRunbook {
  /** The name to run it by: its file without `.yaml`. */
  name: string;
  file: string;
  /** Only without issues. */
  runbook?: Runbook;
  issues: FileIssue[];
}

/**
 * Reads a runbook by the path of a file (with a `/` or an ending) or by name from the folders, in their
 * order, and last from the shipped ones: a user's own drain-host comes before ours. Throws NotFound.
 */
export async function findRunbook(nameOrFile: string, folders: readonly string[]): Promise<RunbookText> {
  const isFile = /[/\\]|\.ya?ml$/.test(nameOrFile);
  const files = isFile
    ? [nameOrFile]
    : (await runbookFiles(folders)).filter((file) => nameOf(file) === nameOrFile);
  const [file] = files;
  if (file !== undefined && existsSync(file)) return { file, source: await readFile(file, 'utf8') };
  const names = (await runbookFiles(folders)).map(nameOf);
  const meant = didYouMean(isFile ? nameOf(nameOrFile) : nameOrFile, names);
  throw new DroverError('NotFound', `there is no runbook ${isFile ? 'file ' : ''}"${nameOrFile}"`, {
    details: { folders: [...folders, shippedFolder()], names },
    hint: meant === undefined ? 'see `drover runbook list`' : `did you mean "${meant}"?`,
  });
}

/** Finds, checks and freezes, with the runbooks that it uses; throws NotFound or InvalidRunbook with `details.issues`. */
export async function loadRunbook(
  nameOrFile: string,
  folders: readonly string[],
  catalogue: Catalogue,
): Promise<FrozenRunbook> {
  const tree = await growTree(await findRunbook(nameOrFile, folders), await libraryOf(folders), catalogue);
  return freezeTree(tree) ?? throwIssues('InvalidRunbook', issuesOf(tree));
}

/** What is wrong with each runbook and with those that it uses, which are found in the folders. */
export async function checkFiles(
  texts: readonly RunbookText[],
  folders: readonly string[],
  catalogue: Catalogue,
): Promise<FileIssue[][]> {
  const library = await libraryOf(folders);
  const grown = new Map<string, Tree>();
  const checked: FileIssue[][] = [];
  for (const text of texts) checked.push(issuesOf(await growTree(text, library, catalogue, grown)));
  return checked;
}

/** With the runbooks of the folders in it, for editors. */
export async function libraryCatalogue(folders: readonly string[], catalogue: Catalogue): Promise<Catalogue> {
  const library = await libraryOf(folders);
  const signatures = library.names.map(async (name): Promise<[string, Signature | null]> => {
    const text = await library.read(name);
    const tree = text && (await growTree(text, library, catalogue));
    return [name, tree?.signature ?? null];
  });
  return { ...catalogue, runbooks: new Map(await Promise.all(signatures)) };
}

/** Each runbook that can be run by name, in the order of names; those with issues too, so that they are seen. */
export async function listRunbooks(
  folders: readonly string[],
  catalogue: Catalogue,
): Promise<ListedRunbook[]> {
  const library = await libraryOf(folders);
  const listed = library.names.map(async (name): Promise<ListedRunbook[]> => {
    const text = await library.read(name);
    if (text === undefined) return [];
    const tree = await growTree(text, library, catalogue);
    const issues = issuesOf(tree);
    const runbook = issues.length === 0 ? tree.runbook : undefined;
    return [{ name, file: text.file, ...(runbook === undefined ? {} : { runbook }), issues }];
  });
  return (await Promise.all(listed))
    .flat()
    .toSorted((one, other) => one.name.localeCompare(other.name, 'en'));
}

/** What a run carries: later edits of the file don't reach it, and the digest tells which text it was. */
export function freeze(source: string, runbook: Runbook): FrozenRunbook {
  const digest = createHash('sha256').update(source, 'utf8').digest('hex');
  return { language: LANGUAGE_VERSION, name: runbook.name, digest, source, runbook };
}

/** Undefined where anything in it has an issue. */
function freezeTree({ source, runbook, runbooks }: Tree): FrozenRunbook | undefined {
  if (runbook === undefined) return undefined;
  const frozen: Record<string, FrozenRunbook> = {};
  for (const [name, tree] of Object.entries(runbooks)) {
    const below = freezeTree(tree);
    if (below === undefined) return undefined;
    frozen[name] = below;
  }
  return { ...freeze(source, runbook), ...(Object.keys(frozen).length > 0 ? { runbooks: frozen } : {}) };
}

/** The runbooks of the folders by name, in their order, and last the shipped ones. */
async function libraryOf(folders: readonly string[]): Promise<Library> {
  const files = new Map<string, string>();
  for (const file of await runbookFiles(folders)) if (!files.has(nameOf(file))) files.set(nameOf(file), file);
  const texts = new Map<string, Promise<RunbookText>>();
  return {
    names: [...files.keys()],
    read: async (name) => {
      const file = files.get(name);
      if (file === undefined) return undefined;
      const text = texts.get(name) ?? readFile(file, 'utf8').then((source) => ({ file, source }));
      texts.set(name, text);
      return text;
    },
  };
}

/** The `runbooks/` of the package, also when this file runs from `dist/`: there are no YAML files in it. */
export function shippedFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new DroverError('Internal', 'the folder of the package was not found');
    folder = above;
  }
  return join(folder, 'runbooks');
}

async function runbookFiles(folders: readonly string[]): Promise<string[]> {
  const all = [...new Set([...folders.map((folder) => resolve(folder)), shippedFolder()])];
  const found = all.map(async (folder) => {
    const entries = existsSync(folder) ? await readdir(folder) : [];
    return entries.filter((entry) => /\.ya?ml$/.test(entry)).map((entry) => join(folder, entry));
  });
  return (await Promise.all(found)).flat();
}

const nameOf = (file: string): string => basename(file, extname(file));
