/** Definitions that come from elsewhere: of a guest whose host is lost. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'xmlbuilder2';
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { Owner } from '../../../model/operation.js';
import type { GuestView } from '../port.js';
import type { Virsh } from './virsh.js';
import { NAMESPACE, parseDomain } from './xml.js';

/**
 * Defines the guest anew. What an earlier stay left under its id goes first, with its saved memory: libvirt would restore
 * that over the newer disk. `autostart` belongs to the host, not to the definition, so it is off for what is defined anew.
 */
export async function defineFrom(
  virsh: Virsh,
  host: HostRef,
  {
    id,
    definition,
    stamp,
    before,
  }: { id: string; definition: string; stamp: Owner; before: GuestView | null },
): Promise<void> {
  const { uuid, name } = parseDomain(definition);
  if (uuid !== id)
    throw new DroverError('InvalidInput', `the definition is that of ${name} (${uuid}), not of ${id}`);
  if (before !== null && !['shutoff', 'crashed'].includes(before.power)) return;
  if (before !== null && (before.managedSave || before.autostart)) {
    const belongings = ['--managed-save', '--snapshots-metadata', '--checkpoints-metadata', '--keep-nvram'];
    await virsh.change(host, ['undefine', '--domain', id, ...belongings]);
  }
  await defineXml(virsh, host, stamped(definition, stamp));
}

/** A file, because virsh opens what it is given by name, and a socket as /dev/stdin can't be opened. */
export async function defineXml(
  virsh: Virsh,
  host: HostRef,
  xml: string,
  more: string[] = [],
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-define-'));
  try {
    const file = join(directory, 'domain.xml');
    await writeFile(file, xml, { mode: 0o600 });
    await virsh.change(host, ['define', '--file', file, ...more]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** With this stamp; and without labels of the other host's security driver, which its own driver makes itself. */
function stamped(definition: string, { operation, epoch }: Owner): string {
  const domain = create(definition).root();
  const metadata = domain.find((node) => node.node.nodeName === 'metadata', false) ?? domain.ele('metadata');
  metadata.ele(NAMESPACE, 'drover:stamp', { operation, epoch: String(epoch) });
  for (;;) {
    const label = domain.find((node) => node.node.nodeName === 'seclabel', false);
    if (label === undefined) return domain.doc().end({ headless: true });
    label.remove();
  }
}
