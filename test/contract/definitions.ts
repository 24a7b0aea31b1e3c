/** What is left of a guest when its host is lost: its definition, in the words that another host understands. */
import { expect, it } from 'vitest';
import type { GuestSpec, Hypervisor } from '../../activities/hypervisor/port.js';
import type { HostRef } from '../../model/host.js';
import type { Disk } from '../../model/instance.js';
import type { Owner } from '../../model/operation.js';

interface Part {
  hypervisor: Hypervisor;
  one: HostRef;
  two: HostRef;
  define(disks?: Disk[]): Promise<GuestSpec>;
  started(disks?: Disk[]): Promise<GuestSpec>;
  sharedDisk(name: string): Promise<Disk>;
  stampOf: (id: string, epoch?: number) => Owner;
}

export function definitions(part: () => Part): void {
  const told = async ({ hypervisor }: Part, host: HostRef, id: string): Promise<string> => {
    const view = await hypervisor.look(host, id);
    if (view === null) throw new Error(`${host.name} has no guest ${id}`);
    return view.definition;
  };

  it('tells how a guest is defined, the same whatever it does and whoever stamped it', async () => {
    const my = part();
    const { hypervisor, one, stampOf } = my;
    const { id } = await my.started([await my.sharedDisk('told')]);
    const running = await told(my, one, id);
    expect((await hypervisor.list(one)).find((guest) => guest.id === id)?.definition).toBe(running);
    const seen = await hypervisor.look(one, id);
    if (seen !== null) await hypervisor.stamp(one, seen, stampOf(id, 7));
    await hypervisor.destroy(one, id);
    expect(await told(my, one, id)).toBe(running);
    expect(running).not.toContain('op-7');
  });

  it('defines it again on a host that never had it, twice as once, off and without autostart', async () => {
    const my = part();
    const { hypervisor, one, two, stampOf } = my;
    const spec = await my.started([await my.sharedDisk('again')]);
    const { id, name } = spec;
    const definition = await told(my, one, id);
    await hypervisor.destroy(one, id);
    await hypervisor.undefine(one, id);
    await hypervisor.defineFrom(two, id, definition, stampOf(id, 3));
    await hypervisor.defineFrom(two, id, definition, stampOf(id, 3));
    expect(await hypervisor.look(two, id)).toMatchObject({
      name,
      power: 'shutoff',
      persistent: true,
      vcpus: spec.vcpus,
      memoryMiB: spec.memoryMiB,
      disks: spec.disks,
      autostart: false,
      managedSave: false,
      stamp: stampOf(id, 3),
      definition,
    });
    await hypervisor.start(two, id);
    await hypervisor.defineFrom(two, id, definition, stampOf(id, 4));
    expect(await hypervisor.look(two, id)).toMatchObject({ power: 'running', stamp: stampOf(id, 3) });
  });

  it('takes the place of an earlier stay, and of the memory that was saved then', async () => {
    const my = part();
    const { hypervisor, one, stampOf } = my;
    const { id } = await my.started([await my.sharedDisk('earlier')]);
    const definition = await told(my, one, id);
    await (
      await hypervisor.save(one, id)
    ).ended;
    expect(await hypervisor.look(one, id)).toMatchObject({ power: 'shutoff', managedSave: true });
    await hypervisor.defineFrom(one, id, definition, stampOf(id, 2));
    expect(await hypervisor.look(one, id)).toMatchObject({ power: 'shutoff', managedSave: false });
  });

  it('refuses the definition of another guest', async () => {
    const my = part();
    const { id } = await my.define();
    const other = '00000000-0000-4000-8000-00000000000a';
    const definition = await told(my, my.one, id);
    await expect(
      my.hypervisor.defineFrom(my.two, other, definition, my.stampOf(other)),
    ).rejects.toMatchObject({ code: 'InvalidInput' });
  });
}
