import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');

/**
 * A process that can be killed runs plain JavaScript: writes these files, and all that they import, into a folder of
 * their own. Followed from import to import, so that nobody keeps a list of what is needed.
 */
export function transpileInto(folder: string, entries: readonly string[]): void {
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    // Never written twice: a process that was started before may be reading it.
    if (existsSync(target)) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(root, file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    for (const { fileName } of ts.preProcessFile(outputText).importedFiles) {
      if (fileName.startsWith('.'))
        open.push(normalize(join(dirname(file), fileName.replace(/\.js$/, '.ts'))));
    }
  }
}

/** The files of the project that a module's text imports, as one in the root of the project would. */
export const imported = (text: string): string[] =>
  ts
    .preProcessFile(text)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('./'))
    .map(({ fileName }) => normalize(fileName.replace(/\.js$/, '.ts')));

/** The same into a new folder within the project, where Node finds its packages. */
export function transpiled(entries: readonly string[]): { directory: string; remove(): void } {
  const parent = join(root, '.drover');
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'test-'));
  transpileInto(directory, entries);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Makes a folder elsewhere a package that finds the project's own. */
export function makePackage(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}
