/** What drover.yaml says of whom to tell: never a secret, only where it is. */
import { z } from 'zod';
import { durationSchema, parseDuration } from '../model/duration.js';
import { noticeEvents, type Receiver } from '../model/notice.js';
import type { FileIssue, YamlFile } from './yaml-file.js';

const receiverSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, {
      error: 'must begin with a small letter and go on with small letters, digits and -',
    })
    .describe('Its name, in `drover notification list`.'),
  url: z.url({ protocol: /^https?$/ }).describe('Where it is posted: https, or http on loopback.'),
  secret: z
    .string()
    .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/, {
      error: 'must be env:NAME or file:/path, never the secret itself',
    })
    .describe('Where the secret is with which each post is signed: env:NAME or file:/path.'),
  events: z
    .array(z.enum(noticeEvents))
    .min(1)
    .default([...noticeEvents])
    .describe('Default: all.'),
  runbooks: z.array(z.string().min(1)).min(1).optional().describe('Only runs of these, and no incidents.'),
  timeout: durationSchema.default('10s').describe('How long an answer may take, at most 50s. Default 10s.'),
  insecure: z.boolean().default(false).describe('Plain HTTP to another machine.'),
});

export const notificationsSchema = z
  .array(receiverSchema)
  .default([])
  .describe('Who is told by signed webhook of runs and incidents; the control workers send.');

type Section = z.output<typeof notificationsSchema>;

export const receiversOf = (section: Section): Receiver[] =>
  section.map(({ name, url, secret, events, runbooks = null, timeout }) => ({
    name,
    url,
    secret,
    events,
    runbooks,
    // Below the time after which another sender takes it.
    timeoutMs: Math.min((parseDuration(timeout) ?? 10) * 1000, 50_000),
  }));

export function notificationIssues(section: Section, issue: YamlFile<unknown>['issue']): FileIssue[] {
  return section.flatMap(({ name, url, insecure }, index) => {
    const at = ['notifications', index] as const;
    const found: FileIssue[] = [];
    if (section.findIndex((other) => other.name === name) !== index)
      found.push(issue([...at, 'name'], `${name} is the name of another receiver, too`));
    const { protocol, hostname, username } = new URL(url);
    const loopback = /^(127\.|\[::1\]$|localhost$)/.test(hostname);
    if (protocol === 'http:' && !loopback && !insecure)
      found.push(
        issue([...at, 'url'], 'what is told would cross the network in plain text', {
          hint: 'take https, or set insecure: true',
        }),
      );
    if (username !== '')
      found.push(
        issue([...at, 'url'], 'holds a password', { hint: 'posts are signed with the secret instead' }),
      );
    return found;
  });
}
