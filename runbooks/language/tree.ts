/** A runbook with those that it uses, and those that they use: each checked at its own place. */
import { readYaml, type FileIssue, type YamlFile } from '../../config/yaml-file.js';
import { runbookSchema, type Runbook } from '../../model/runbook.js';
import type { Catalogue, Signature } from './catalogue.js';
import { checkParsed } from './check.js';
import { usedRunbooks } from './uses.js';

export interface RunbookText {
  /** As it was found: the name in issues. */
  file: string;
  source: string;
}

/** Runbooks by name. */
export interface Library {
  names: readonly string[];
  /** Undefined for a name that is none of `names`. */
  read(name: string): Promise<RunbookText | undefined>;
}

export interface Tree extends RunbookText {
  /** Only without issues of its own. */
  runbook?: Runbook;
  signature?: Signature;
  /** Its own; `issuesOf` has those of the whole tree. */
  issues: FileIssue[];
  /** By name, those that its steps use. */
  runbooks: Record<string, Tree>;
  /** How many runbooks stand below each other, itself included. */
  height: number;
}

/** More than anybody wants to follow; a run of each is a workflow of its own. */
const maxHeight = 5;

interface Growing {
  library: Library;
  catalogue: Catalogue;
  grown: Map<string, Tree>;
}

/** `grown`: what was grown of the library before, to be used again. */
export async function growTree(
  root: RunbookText,
  library: Library,
  catalogue: Catalogue,
  grown = new Map<string, Tree>(),
): Promise<Tree> {
  return grow(root, [], { library, catalogue, grown });
}

/** The runbook's own first, then those of the runbooks in it, each file once. */
export function issuesOf(tree: Tree): FileIssue[] {
  const files = new Map<string, Tree>();
  const visit = (one: Tree): void => {
    if (files.has(one.file)) return;
    files.set(one.file, one);
    Object.values(one.runbooks).forEach(visit);
  };
  visit(tree);
  return [...files.values()].flatMap(({ issues }) => issues);
}

type Way = readonly { name: string; file: string }[];

async function grow(text: RunbookText, above: Way, growing: Growing): Promise<Tree> {
  const { library, catalogue, grown } = growing;
  const yaml = readYaml(text.source, text.file, runbookSchema);
  const way = [...above, { name: yaml.value?.name ?? '', file: text.file }];
  const tree: Tree = { ...text, issues: [], runbooks: {}, height: 1 };
  const signatures = new Map<string, Signature | null>(library.names.map((name) => [name, null]));
  const told: FileIssue[] = [];
  for (const { name, path } of yaml.value === undefined ? [] : usedRunbooks(yaml.value)) {
    const found = await library.read(name);
    if (found === undefined) continue;
    const problem = wayBack(name, found.file, way) ?? tooDeep(name, way, grown.get(found.file)?.height ?? 1);
    if (problem !== undefined) {
      told.push(yaml.issue(path, problem.message, problem));
      continue;
    }
    const below = grown.get(found.file) ?? (await grow(found, way, growing));
    signatures.set(name, below.signature ?? null);
    tree.runbooks[name] = below;
    tree.height = Math.max(tree.height, below.height + 1);
  }
  Object.assign(tree, judged(yaml, { ...catalogue, runbooks: signatures }, told));
  grown.set(text.file, tree);
  return tree;
}

function judged(
  yaml: YamlFile<Runbook>,
  catalogue: Catalogue,
  told: readonly FileIssue[],
): Pick<Tree, 'issues' | 'runbook' | 'signature'> {
  const checked = checkParsed(yaml, catalogue);
  return told.length === 0 ? checked : { issues: [...checked.issues, ...told] };
}

function wayBack(name: string, file: string, way: Way): { message: string; hint: string } | undefined {
  const first = way.findIndex((one) => one.file === file);
  if (first < 0) return undefined;
  const round = [...way.slice(first).map((one) => one.name), name].join(' → ');
  return {
    message: `the runbooks use each other without an end: ${round}`,
    hint: 'one of them must do without',
  };
}

function tooDeep(name: string, way: Way, height: number): { message: string; hint: string } | undefined {
  if (way.length + height <= maxHeight) return undefined;
  const names = [...way.map((one) => one.name), name].join(' → ');
  return {
    message: `runbooks may stand ${maxHeight} deep in each other, not more: ${names}${height > 1 ? ' → …' : ''}`,
    hint: 'take the steps of one of them in here',
  };
}
