/** Registers drover's search attributes in a namespace, of our own server or of a foreign one. */
import type { Connection } from '@temporalio/client';
import { searchAttributes, type SearchAttributeName } from '../model/search-attributes.js';
import { GRPC, grpcCode } from './grpc.js';

export interface SearchAttributesResult {
  readonly added: SearchAttributeName[];
  /** Not there and not ours to add, or there with another type: what sets them will fail. */
  readonly missing: SearchAttributeName[];
  /** One line for the operator when something is missing. */
  readonly warning?: string;
}

/** temporal.api.enums.v1.IndexedValueType */
const typeNumbers = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 } as const;

const names = Object.keys(searchAttributes).filter(isOurs);
const DEADLINE_MS = 5000;

/**
 * Adds what is missing; safe to repeat and to run from several processes at once. Without the right to (Temporal
 * Cloud and locked-down servers give it to administrators only) it goes on and says so.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<SearchAttributesResult> {
  try {
    const before = await listed(connection, namespace);
    const absent = names.filter((name) => !before.has(name));
    if (absent.length > 0) await add(connection, namespace, absent);
    const after = absent.length > 0 ? await listed(connection, namespace) : before;
    const wrong = names.filter((name) => after.get(name) !== typeNumbers[searchAttributes[name]]);
    const added = absent.filter((name) => !wrong.includes(name));
    if (wrong.length === 0) return { added, missing: [] };
    return {
      added,
      missing: wrong,
      warning: warn(namespace, wrong, 'they are missing or have another type'),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { added: [], missing: names, warning: warn(namespace, names, reason) };
  }
}

async function listed(connection: Connection, namespace: string): Promise<Map<string, number>> {
  const response = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
    connection.operatorService.listSearchAttributes({ namespace }),
  );
  return new Map(Object.entries(response.customAttributes));
}

async function add(connection: Connection, namespace: string, absent: SearchAttributeName[]): Promise<void> {
  const types = Object.fromEntries(absent.map((name) => [name, typeNumbers[searchAttributes[name]]]));
  try {
    await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.operatorService.addSearchAttributes({ namespace, searchAttributes: types }),
    );
  } catch (error) {
    // Another process was faster: the list read next tells what is there.
    if (grpcCode(error) !== GRPC.ALREADY_EXISTS) throw error;
  }
}

function warn(namespace: string, missing: readonly SearchAttributeName[], reason: string): string {
  const flags = missing.map((name) => `--name ${name} --type ${searchAttributes[name]}`).join(' ');
  return (
    `search attributes of namespace ${namespace} could not be registered (${reason}); have an administrator run: ` +
    `temporal operator search-attribute create --namespace ${namespace} ${flags}`
  );
}

function isOurs(name: string): name is SearchAttributeName {
  return Object.hasOwn(searchAttributes, name);
}
