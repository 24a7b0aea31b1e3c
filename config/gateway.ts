/** What drover.yaml says of the gateway: where it listens, and with which certificate. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { DroverError } from '../model/errors.js';
import type { FileIssue, YamlFile } from './yaml-file.js';

const path = z.string().min(1);
const listenSchema = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, {
  error: 'must be ADDRESS:PORT, such as 127.0.0.1:8480',
});

export const gatewaySchema = z
  .strictObject({
    listen: listenSchema
      .default('127.0.0.1:8480')
      .describe(
        'Address and port. Other addresses than loopback want `tls`, since tokens come with requests.',
      ),
    tls: z
      .strictObject({
        cert: path.describe('The file with the certificate and its chain, PEM.'),
        key: path.describe('The file with its private key, PEM.'),
      })
      .optional()
      .describe('HTTPS. A renewed certificate is taken at the next start.'),
    ui_origins: z
      .array(z.url({ protocol: /^https?$/ }))
      .default([])
      .describe('Where a Temporal UI is served from that may ask for decoding: https://temporal.example.'),
    insecure: z
      .boolean()
      .default(false)
      .describe('Plain HTTP on an address that is not loopback: only behind a proxy that ends TLS.'),
  })
  .prefault({})
  .describe('`drover gateway`: HTTP for monitoring and alerts.');

export interface GatewayConfig {
  address: string;
  port: number;
  tls: { cert: string; key: string } | null;
  uiOrigins: string[];
  /** Plain HTTP, wherever it listens. */
  insecure: boolean;
}

type Section = z.output<typeof gatewaySchema>;

/** The same at another address: that of the command line. Throws InvalidConfig. */
export function listeningAt(config: GatewayConfig, listen: string): GatewayConfig {
  const { insecure } = config;
  const refuse = (message: string, hint: string): never => {
    throw new DroverError('InvalidConfig', `--listen ${listen}: ${message}`, { hint });
  };
  if (!listenSchema.safeParse(listen).success) refuse('must be ADDRESS:PORT', 'write it as 127.0.0.1:8480');
  const at = { ...config, ...addressOf(listen) };
  const wrong = wrongAddress({ ...at, secure: config.tls !== null || insecure });
  if (wrong !== null) refuse(wrong.message, wrong.hint);
  return at;
}

export function gatewayOf(
  { listen, tls, insecure, ui_origins: origins }: Section,
  base: string,
): GatewayConfig {
  return {
    ...addressOf(listen),
    insecure,
    uiOrigins: origins.map((url) => new URL(url).origin),
    tls: tls === undefined ? null : { cert: resolve(base, tls.cert), key: resolve(base, tls.key) },
  };
}

function addressOf(listen: string): { address: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return {
    address: listen.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(listen.slice(colon + 1)),
  };
}

export function gatewayIssues(section: Section, issue: YamlFile<unknown>['issue']): FileIssue[] {
  const secure = section.tls !== undefined || section.insecure;
  const wrong = wrongAddress({ ...addressOf(section.listen), secure });
  return wrong === null ? [] : [issue(['gateway', 'listen'], wrong.message, { hint: wrong.hint })];
}

function wrongAddress({
  address,
  port,
  secure,
}: {
  address: string;
  port: number;
  secure: boolean;
}): { message: string; hint: string } | null {
  if (port > 65_535) return { message: `there is no port ${port}`, hint: 'ports end at 65535' };
  if (secure || /^(127\.|::1$|localhost$)/.test(address)) return null;
  return {
    message: `${address} is open to the network, and tokens would cross it in plain text`,
    hint: 'name a certificate in gateway.tls, listen on 127.0.0.1 behind a proxy, or set gateway.insecure: true',
  };
}
