import { XMLParser } from 'fast-xml-parser';
import { create } from 'xmlbuilder2';
import { z } from 'zod';
import { DroverError } from '../../../model/errors.js';

/** The namespace of what drover keeps in a domain's metadata. */
export const NAMESPACE = 'urn:drover:1';

const lists: ReadonlySet<string> = new Set([
  ...['disk', 'serial', 'interface'].map((device) => `domain.devices.${device}`),
  'cpu.feature',
]);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (_name, path) => lists.has(String(path)),
});

/** An element that may have attributes, text, or neither: the parser gives a text when there are no attributes. */
const element = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess((value) => (typeof value === 'string' ? { '#text': value } : value), z.object(shape));

const disk = element({
  '@device': z.string().optional(),
  '@type': z.string().optional(),
  driver: element({ '@type': z.string().optional() }).optional(),
  source: element({ '@file': z.string().optional(), '@dev': z.string().optional() }).optional(),
  target: element({ '@dev': z.string() }),
  readonly: z.unknown().optional(),
});

const domain = z.object({
  domain: element({
    name: z.string(),
    uuid: z.guid(),
    memory: element({ '#text': z.string(), '@unit': z.string().optional() }),
    vcpu: element({ '#text': z.string() }).optional(),
    cpu: element({ '@mode': z.string().optional() }).optional(),
    metadata: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    devices: element({
      disk: z.array(disk).default([]),
      interface: z
        .array(
          element({
            source: element({
              '@network': z.string().optional(),
              '@bridge': z.string().optional(),
              '@dev': z.string().optional(),
            }).optional(),
          }),
        )
        .default([]),
      serial: z.array(element({ log: element({ '@file': z.string() }).optional() })).default([]),
    }),
  }),
});

const capabilities = z.object({
  domainCapabilities: element({
    path: z.string(),
    domain: z.enum(['kvm', 'qemu']).catch('qemu'),
    arch: z.string(),
  }),
});
const host = z.object({ capabilities: z.object({ host: z.object({ uuid: z.string() }) }) });
const hostCpu = z.object({
  capabilities: z.object({ host: z.object({ cpu: z.object({ arch: z.string() }) }) }),
});
const baseline = z.object({
  cpu: element({
    model: element({ '#text': z.string() }),
    vendor: z.string().default('unknown'),
    feature: z.array(element({ '@name': z.string(), '@policy': z.string().optional() })).default([]),
  }),
});

export type DomainXml = z.infer<typeof domain>['domain'];

function parse<Schema extends z.ZodType>(schema: Schema, what: string, text: string): z.infer<Schema> {
  const parsed = schema.safeParse(parser.parse(text));
  if (parsed.success) return parsed.data;
  throw new DroverError(
    'HypervisorError',
    `libvirt's description of ${what} is not as expected: ${z.prettifyError(parsed.error)}`,
  );
}

export const parseDomain = (text: string): DomainXml => parse(domain, 'the guest', text).domain;
export const parseDomainCapabilities = (text: string) =>
  parse(capabilities, 'what the host can run', text).domainCapabilities;
export const parseHostUuid = (text: string): string => parse(host, 'the host', text).capabilities.host.uuid;

export const parseHostCpu = (text: string): { arch: string } =>
  parse(hostCpu, 'its processors', text).capabilities.host.cpu;

/** The features that a guest would need of its host, one by one. */
export function parseBaseline(text: string): { vendor: string; model: string; features: string[] } {
  const { model, vendor, feature } = parse(baseline, 'what its processors can do', text).cpu;
  const features = feature.filter((one) => one['@policy'] !== 'disable').map((one) => one['@name']);
  return { vendor, model: model['#text'], features };
}

/** The text of an XML document or fragment from nested objects; `@name` are attributes. */
export function writeXml(tree: Record<string, unknown>, headless = true): string {
  return create({ convert: { att: '@', text: '#' } }, tree).end({ headless, prettyPrint: true });
}
