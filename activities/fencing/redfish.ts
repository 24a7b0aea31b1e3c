/** Asks a Redfish service which system it is: with the credentials of its agent, and as the agent would find it. */
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { rootCertificates } from 'node:tls';
import { z } from 'zod';
import { isYes } from './parameters.js';

const limitMs = 10_000;
const mostBytes = 1_000_000;
/** The authorities of this machine: what the agents believe, too. */
const machineAuthorities = '/etc/ssl/certs/ca-certificates.crt';

const link = z.object({ '@odata.id': z.string() });
const root = z.object({ Systems: link });
const members = z.object({ Members: z.array(link).min(1) });
const system = z.object({ UUID: z.string().nullish() });

/** The system's UUID, null where the service tells none; or why it can't be asked. */
export async function redfishUuid(
  given: Readonly<Record<string, string>>,
): Promise<{ uuid: string | null } | { error: string }> {
  try {
    const get = reader(given);
    const path = given['systems_uri'] ?? given['systems-uri'] ?? (await findSystem(get, given));
    const found = system.safeParse(await get(path));
    if (!found.success) return { error: `${path} is no system` };
    return { uuid: found.data.UUID ?? null };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** The last one, as fence_redfish takes it. */
async function findSystem(
  get: (path: string) => Promise<unknown>,
  given: Readonly<Record<string, string>>,
): Promise<string> {
  const start = root.safeParse(await get(given['redfish_uri'] ?? given['redfish-uri'] ?? '/redfish/v1'));
  if (!start.success) throw new Error('it names no systems');
  const listed = members.safeParse(await get(start.data.Systems['@odata.id']));
  const last = listed.data?.Members.at(-1)?.['@odata.id'];
  if (last === undefined) throw new Error('it lists no system');
  return last;
}

function reader(given: Readonly<Record<string, string>>): (path: string) => Promise<unknown> {
  const [host = '', port] = (given['ip'] ?? given['ipaddr'] ?? '').split(/:(?=\d+$)/);
  const user = given['username'] ?? given['login'] ?? '';
  const password = given['password'] ?? given['passwd'] ?? '';
  const until = AbortSignal.timeout(limitMs);
  return (path) =>
    new Promise((resolve, reject) => {
      const asked = request(
        {
          host,
          port: Number(port ?? given['ipport'] ?? 443),
          path,
          auth: `${user}:${password}`,
          headers: { accept: 'application/json', 'OData-Version': '4.0' },
          rejectUnauthorized: !isYes(given['ssl_insecure']),
          ca: authorities(),
          signal: until,
          agent: false,
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => {
            text += part;
            if (text.length > mostBytes) asked.destroy(new Error('its answer has no end'));
          });
          answer.on('error', reject).on('end', () => {
            const { statusCode = 0 } = answer;
            if (statusCode === 401 || statusCode === 403)
              return reject(new Error(`it refuses the user or the password (HTTP ${statusCode})`));
            if (statusCode !== 200) return reject(new Error(`it answered HTTP ${statusCode} for ${path}`));
            return resolve(parsed(text));
          });
        },
      );
      asked.on('error', (error) =>
        reject(until.aborted ? new Error(`it did not answer within ${limitMs / 1000} s`) : error),
      );
      asked.end();
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const authorities = (): string[] => [
  ...rootCertificates,
  ...(existsSync(machineAuthorities) ? [readFileSync(machineAuthorities, 'utf8')] : []),
];
