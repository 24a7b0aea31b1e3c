/** Real processes on one inventory: plain JavaScript of what they import. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imported, transpileInto } from '../../transpile.js';

/** Runs a module's text in a process of its own; answers what it wrote as JSON. `folder`: after `makePackage`. */
export async function runProcess(folder: string, name: string, source: string): Promise<unknown> {
  const file = join(folder, `${name}.js`);
  transpileInto(folder, imported(source));
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
