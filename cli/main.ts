#!/usr/bin/env node
/** The `drover` command. What it needs is loaded when it is known to be needed, so that help comes at once. */
import { buildProgram } from './program.js';
import { exitCodeOf, reportError } from './errors.js';

// `drover instance list | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const argv = process.argv.slice(2);
try {
  const program = await buildProgram(argv);
  await program.parseAsync(argv, { from: 'user' });
} catch (error) {
  process.exitCode = exitCodeOf(error);
  reportError(error, argv);
}
// Everything is closed by now; a connection that still lingers does not hold the command up.
setTimeout(() => process.exit(), 300).unref();
