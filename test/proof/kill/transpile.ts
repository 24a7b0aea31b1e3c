import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../../..');
const parts = [
  'activities',
  'config',
  'model',
  'runbooks',
  'temporal',
  'worker',
  'workflows',
  'test/proof/kill',
];

/** A worker can be killed only as a process of its own: plain JavaScript of it and what it imports, as it is now. */
export function transpiled(): { worker: string; remove(): void } {
  const parent = join(root, '.drover');
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'proof-'));
  for (const file of parts.flatMap(sources)) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    const target = join(directory, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  return {
    worker: join(directory, 'test/proof/kill/worker.js'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file));
