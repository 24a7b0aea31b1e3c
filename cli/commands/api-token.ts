import { Option, type Command } from 'commander';
import type { Token } from '../../activities/inventory/tokens.js';
import { createToken, listTokens, revokeToken, tokenRoles } from '../../client/tokens.js';
import { parseDuration } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import { withContext } from '../context.js';
import { note, printData, printList, write } from '../output.js';

export function register(token: Command): void {
  const collect = (name: string, before: string[] = []): string[] => [...before, name];
  token
    .command('create')
    .description('Make a token; its secret is shown this once. For administrators.')
    .argument('<name>', 'recorded with all that it does')
    .addOption(new Option('--role <role>', 'what it may do').choices(tokenRoles).makeOptionMandatory())
    .option('--expires <duration>', 'how long it is good for, such as 90d; without it, until it is revoked')
    .option('--runbook <name>', 'it may start only this runbook; may be given more than once', collect)
    .action((name: string, _options: unknown, command: Command) => create(name, command));
  token
    .command('list')
    .description('List the tokens, newest first.')
    .action((_options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const empty = 'no tokens: make one with `drover api-token create NAME --role ROLE`';
        await printList(context.output, await listTokens(context), columns, empty);
      }),
    );
  token
    .command('revoke')
    .description('Revoke a token: from now on nobody gets in with it.')
    .argument('<token>', 'its id, or its name')
    .action((name: string, _options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const revoked = await revokeToken(context, name);
        if (context.output.format !== 'table') return printData(context.output, revoked);
        return write(`token ${revoked.name} (${revoked.id}) is revoked`);
      }),
    );
}

interface Flags {
  role: Token['role'];
  expires?: string;
  runbook?: string[];
}

async function create(name: string, command: Command): Promise<void> {
  const { role, expires, runbook = null } = command.opts<Flags>();
  const expiresInSeconds = expires === undefined ? null : secondsOf(expires);
  await withContext(command, async (context) => {
    const { token, secret } = await createToken(context, { name, role, runbooks: runbook, expiresInSeconds });
    if (context.output.format !== 'table') return printData(context.output, { ...token, secret });
    note(`token ${name} (${token.id}): keep it now, it is not shown again`);
    return write(secret);
  });
}

function secondsOf(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const seconds = days === undefined ? parseDuration(text) : Number(days) * 86_400;
  if (seconds !== undefined && seconds > 0) return seconds;
  throw new DroverError('InvalidInput', `--expires takes a length of time, not "${text}"`, {
    hint: 'write it as 12h or 90d',
  });
}

const columns = [
  { title: 'ID', value: (row: Token) => row.id },
  { title: 'NAME', value: (row: Token) => row.name },
  { title: 'ROLE', value: (row: Token) => row.role },
  { title: 'RUNBOOKS', value: (row: Token) => row.runbooks?.join(', ') ?? 'all' },
  { title: 'EXPIRES', value: (row: Token) => row.expiresAt },
  { title: 'REVOKED', value: (row: Token) => row.revokedAt },
  { title: 'LAST USED', value: (row: Token) => row.lastUsedAt },
];
