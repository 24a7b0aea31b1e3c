/** What an agent tells of its parameters: `-o metadata`, XML that all fence agents have. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import { runProgram } from './run-agent.js';

export interface AgentFacts {
  /** Absolute. */
  path: string;
  /** By name; `default` as the agent would take it. */
  parameters: ReadonlyMap<string, { type: string; default: string | undefined }>;
}

/** Where Debian and Red Hat put them. */
const usualFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];
const limitMs = 20_000;

const shape = z.object({
  'resource-agent': z.object({
    parameters: z.object({
      parameter: z.array(
        z.object({
          name: z.string(),
          content: z
            .object({ type: z.string().default('string'), default: z.string().optional() })
            .optional(),
        }),
      ),
    }),
  }),
});
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  isArray: (name) => name === 'parameter',
});

export function openAgents(folders: readonly string[] = usualFolders) {
  const known = new Map<string, AgentFacts>();

  /** null where it is not installed. Throws InvalidConfig for what does not tell its metadata. */
  return async (agent: string): Promise<AgentFacts | null> => {
    const found = known.get(agent);
    if (found !== undefined) return found;
    const path = await pathOf(agent, folders);
    if (path === null) return null;
    const { code, out } = await runProgram(path, { args: ['-o', 'metadata'], limitMs });
    const read = shape.safeParse(code === 0 ? parser.parse(out) : null);
    if (!read.success) {
      throw new DroverError(
        'InvalidConfig',
        `${path} does not tell its parameters: \`${agent} -o metadata\``,
        {
          hint: 'it is no fence agent, or its packages are incomplete: apt-get install fence-agents',
        },
      );
    }
    const listed = read.data['resource-agent'].parameters.parameter;
    const parameters = new Map(
      listed.map(({ name, content }) => [
        name,
        { type: content?.type ?? 'string', default: content?.default },
      ]),
    );
    const facts = { path, parameters };
    known.set(agent, facts);
    return facts;
  };
}

export type Agents = ReturnType<typeof openAgents>;

async function pathOf(agent: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, agent);
    const may = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (may) return path;
  }
  return null;
}
