/** Real processes on one inventory: the sources are transpiled into a folder of plain JavaScript that Node runs. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../../..');

/** Makes `folder` a package with the inventory and the model. */
export async function transpileInventory(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await transpile(folder, 'activities/clock.ts');
  for (const part of ['activities/inventory', 'model']) {
    const files = await readdir(join(root, part), { recursive: true });
    for (const file of files.filter((name) => name.endsWith('.ts')))
      await transpile(folder, join(part, file));
  }
}

export async function transpile(folder: string, file: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(join(root, file), 'utf8'), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  const target = join(folder, file.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, outputText);
}

/** Runs a module's text in a process of its own; answers what it wrote as JSON. */
export async function runProcess(folder: string, name: string, source: string): Promise<unknown> {
  const file = join(folder, `${name}.js`);
  await writeFile(file, source);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) throw new Error(`process ${name} ended with ${code}: ${errors}`);
  return JSON.parse(output);
}
