import { z } from 'zod';
import type { Owner } from '../../../model/operation.js';
import { NAMESPACE, writeXml, type DomainXml } from './xml.js';

/**
 * The stamp in a domain's metadata names the last operation that acted on the guest. It travels with a
 * migration, so that the guest itself tells who moved it, even when the inventory is lost.
 */
const stampElement = z.object({ '@operation': z.string(), '@epoch': z.coerce.number().int() });

/** libvirt keeps the prefix but not every writer uses ours: the namespace decides, not the prefix. */
export function readStamp(domain: DomainXml): Owner | null {
  if (typeof domain.metadata !== 'object') return null;
  for (const [name, value] of Object.entries(domain.metadata)) {
    const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
    const declaration = prefix === '' ? '@xmlns' : `@xmlns:${prefix}`;
    const attributes = z.record(z.string(), z.unknown()).safeParse(value);
    if (local !== 'stamp' || !attributes.success || attributes.data[declaration] !== NAMESPACE) continue;
    const stamp = stampElement.safeParse(value);
    if (stamp.success) {
      return { instance: domain.uuid, operation: stamp.data['@operation'], epoch: stamp.data['@epoch'] };
    }
  }
  return null;
}

/** The metadata element without its namespace: `virsh metadata --key drover --uri …` adds that. */
export const stampXml = (stamp: Owner): string =>
  writeXml({ stamp: { '@operation': stamp.operation, '@epoch': stamp.epoch } });

/** A definition as text, without the stamp, which changes with every operation. */
export const withoutStamp = (xml: string): string =>
  xml.replaceAll(/\s*<((?:[\w.-]+:)?stamp)\b[^>]*\burn:drover:1\b[^>]*?(?:\/>|>[^]*?<\/\1>)/g, '');
