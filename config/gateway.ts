/** What drover.yaml says of the gateway: where it listens, and with which certificate. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { FileIssue, YamlFile } from './yaml-file.js';

const path = z.string().min(1);

export const gatewaySchema = z
  .strictObject({
    listen: z
      .string()
      .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, {
        error: 'must be ADDRESS:PORT, such as 127.0.0.1:8480',
      })
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
}

type Section = z.output<typeof gatewaySchema>;

export function gatewayOf({ listen, tls }: Section, base: string): GatewayConfig {
  const colon = listen.lastIndexOf(':');
  return {
    address: listen.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(listen.slice(colon + 1)),
    tls: tls === undefined ? null : { cert: resolve(base, tls.cert), key: resolve(base, tls.key) },
  };
}

export function gatewayIssues(section: Section, issue: YamlFile<unknown>['issue']): FileIssue[] {
  const { address, port } = gatewayOf(section, '/');
  if (port > 65_535)
    return [
      issue(['gateway', 'listen'], `there is no port ${port}`, {
        hint: 'ports end at 65535',
      }),
    ];
  const loopback = /^(127\.|::1$|localhost$)/.test(address);
  if (loopback || section.tls !== undefined || section.insecure) return [];
  return [
    issue(
      ['gateway', 'listen'],
      `${address} is open to the network, and tokens would cross it in plain text`,
      {
        hint: 'name a certificate in gateway.tls, listen on 127.0.0.1 behind a proxy, or set gateway.insecure: true',
      },
    ),
  ];
}
