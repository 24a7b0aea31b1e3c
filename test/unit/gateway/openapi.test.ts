/** docs/openapi.json is what the gateway describes, and nothing in it goes away: a change that breaks clients fails here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { format, resolveConfig } from 'prettier';
import { breakingChanges, type Description } from './breaking.js';
import { openGateway, type Site } from './site.js';

const file = join(import.meta.dirname, '../../../docs/openapi.json');
let site: Site;
let now: Description;
beforeAll(async () => {
  site = await openGateway();
  now = (await site.app.inject('/openapi.json')).json();
});
afterAll(() => site.close());

it('docs/openapi.json is of this gateway: `npm run docs` writes it', async () => {
  const style = await resolveConfig(file);
  await expect(await format(JSON.stringify(now), { ...style, filepath: file })).toMatchFileSnapshot(file);
});

/** What was promised: renewed by hand with each release, and only by what adds. */
const promised = join(import.meta.dirname, 'openapi.promised.json');

it('breaks nobody who uses what was promised', () => {
  expect(breakingChanges(JSON.parse(readFileSync(promised, 'utf8')) as Description, now)).toEqual([]);
});

type Node = Record<string, unknown>;
const disable = '/api/v1/hosts/{host}/operations/disable';
const post = ['paths', disable, 'post'];
const body = [...post, 'requestBody', 'content', 'application/json', 'schema'];
const hosts = ['paths', '/api/v1/hosts', 'get', 'responses', '200', 'content', 'application/json', 'schema'];
const item = [...hosts, 'properties', 'items', 'items'];
const at = (draft: unknown, path: readonly string[]): Node =>
  path.reduce((node, key) => (node as Node)[key], draft) as Node;

/** A copy in which the key has another value; without one it is gone. */
function changed(path: readonly string[], key: string, value?: unknown): Description {
  const draft = structuredClone(now);
  if (value === undefined) delete at(draft, path)[key];
  else at(draft, path)[key] = value;
  return draft;
}

describe('a change that breaks clients is found', () => {
  it.each<[string, readonly string[], string, unknown, RegExp]>([
    ['a path', ['paths'], disable, undefined, /POST .*disable is gone/],
    ['a key of a body', [...body, 'properties'], 'reason', undefined, /does not take reason any more/],
    ['a new required key', body, 'required', ['reason', 'why'], /the body needs why now/],
    ['a narrower type', [...body, 'properties', 'reason'], 'type', 'integer', /reason takes fewer types/],
    ['fewer values', [...body, 'properties', 'reason'], 'enum', ['x'], /reason takes fewer values/],
    ['a key of an answer', [...item, 'properties'], 'vcpus', undefined, /has no vcpus any more/],
    ['a key that may be missing', item, 'required', ['state'], /may leave name out now/],
    ['another type', [...item, 'properties', 'vcpus'], 'type', 'string', /vcpus may be of another type/],
    ['a parameter', ['paths', '/api/v1/runs', 'get'], 'parameters', [], /parameter query runbook is gone/],
    ['a status', [...post, 'responses'], '202', undefined, /the answer 202 is gone/],
  ])('%s', (_title, path, key, value, told) => {
    expect(breakingChanges(now, changed(path, key, value)).join('\n')).toMatch(told);
  });

  it.each<[string, readonly string[], string, unknown]>([
    ['another key of a body', [...body, 'properties'], 'more', { type: 'string' }],
    ['another key of an answer', [...item, 'properties'], 'more', { type: 'string' }],
    ['another path', ['paths'], '/api/v1/more', {}],
  ])('and %s is none', (_title, path, key, value) => {
    expect(breakingChanges(now, changed(path, key, value))).toEqual([]);
  });
});
