/** What would break a client between two descriptions of the API. */

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  enum?: unknown[];
  items?: Schema;
  anyOf?: Schema[];
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}
export interface Description {
  paths?: Record<string, Record<string, Operation>>;
}

/** Sentences; empty where whoever used the old can use the new. */
export function breakingChanges(old: Description, now: Description): string[] {
  const found: string[] = [];
  for (const [path, methods] of Object.entries(old.paths ?? {}))
    for (const [method, before] of Object.entries(methods)) {
      const where = `${method.toUpperCase()} ${path}`;
      const after = now.paths?.[path]?.[method];
      if (after === undefined) found.push(`${where} is gone`);
      else found.push(...ofOperation(before, after).map((change) => `${where}: ${change}`));
    }
  return found;
}

function ofOperation(before: Operation, after: Operation): string[] {
  const found: string[] = [];
  const key = ({ name, in: place }: { name: string; in: string }) => `${place} ${name}`;
  const known = new Map((before.parameters ?? []).map((one) => [key(one), one]));
  const present = new Set((after.parameters ?? []).map(key));
  for (const one of known.keys()) if (!present.has(one)) found.push(`the parameter ${one} is gone`);
  for (const one of after.parameters ?? []) {
    const earlier = known.get(key(one));
    if (one.required === true && earlier?.required !== true)
      found.push(`the parameter ${key(one)} is required now`);
    if (earlier) found.push(...input(earlier.schema ?? {}, one.schema ?? {}, `the parameter ${key(one)}`));
  }
  const bodyOf = ({ requestBody }: Operation): Schema =>
    requestBody?.content?.['application/json']?.schema ?? {};
  found.push(...input(bodyOf(before), bodyOf(after), 'the body'));
  for (const [status, { content }] of Object.entries(before.responses ?? {})) {
    const answer = after.responses?.[status];
    if (answer === undefined) found.push(`the answer ${status} is gone`);
    else {
      const [told, telling] = [content, answer.content].map((one) => one?.['application/json']?.schema ?? {});
      found.push(...output(told ?? {}, telling ?? {}, `the answer ${status}`));
    }
  }
  return found;
}

/** What clients send must still be taken. */
function input(before: Schema, after: Schema, where: string): string[] {
  const found: string[] = [];
  const types = typesOf(after);
  if (types.size > 0 && [...typesOf(before)].some((type) => !types.has(type)))
    found.push(`${where} takes fewer types`);
  if (
    after.enum &&
    (before.enum === undefined || before.enum.some((value) => after.enum?.includes(value) === false))
  )
    found.push(`${where} takes fewer values`);
  for (const name of after.required ?? [])
    if (before.required?.includes(name) !== true && before.properties !== undefined)
      found.push(`${where} needs ${name} now`);
  for (const [name, schema] of Object.entries(before.properties ?? {})) {
    const now = after.properties?.[name];
    if (now === undefined) found.push(`${where} does not take ${name} any more`);
    else found.push(...input(schema, now, `${where}.${name}`));
  }
  if (before.items && after.items) found.push(...input(before.items, after.items, `${where}[]`));
  return found;
}

/** What clients read must still be there. */
function output(before: Schema, after: Schema, where: string): string[] {
  const found: string[] = [];
  const types = typesOf(before);
  if (types.size > 0 && [...typesOf(after)].some((type) => !types.has(type)))
    found.push(`${where} may be of another type`);
  for (const [name, schema] of Object.entries(before.properties ?? {})) {
    const now = after.properties?.[name];
    if (now === undefined) found.push(`${where} has no ${name} any more`);
    else {
      if (before.required?.includes(name) === true && after.required?.includes(name) !== true)
        found.push(`${where} may leave ${name} out now`);
      found.push(...output(schema, now, `${where}.${name}`));
    }
  }
  if (before.items) found.push(...output(before.items, after.items ?? {}, `${where}[]`));
  return found;
}

const typesOf = ({ type, anyOf }: Schema): Set<string> =>
  new Set(anyOf ? anyOf.flatMap((one) => [...typesOf(one)]) : type === undefined ? [] : [type].flat());
