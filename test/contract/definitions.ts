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

  it('refuses one whose name another guest has there, and needs no second look at what was just seen', async () => {
    const my = part();
    const { hypervisor, one, two, stampOf } = my;
    const disk = await my.sharedDisk('namesake');
    const { id, name } = await my.started([disk]);
    const definition = await told(my, one, id);
    await hypervisor.destroy(one, id);
    const other = '00000000-0000-4000-8000-00000000000b';
    const namesake = definition.replaceAll(id, other);
    await hypervisor.defineFrom(two, other, namesake, stampOf(other), await hypervisor.look(two, other));
    await expect(hypervisor.defineFrom(two, id, definition, stampOf(id), null)).rejects.toMatchObject({
      code: 'HypervisorError',
      message: expect.stringContaining(name) as string,
    });
    const seen = await hypervisor.look(two, other);
    if (seen === null) throw new Error('it was not defined');
    await hypervisor.start(two, other, seen);
    // What was seen may be over by now: what has come about all the same is success.
    await hypervisor.start(two, other, seen);
    expect(await hypervisor.look(two, other)).toMatchObject({ power: 'running' });
    await hypervisor.destroy(two, other);
    await hypervisor.undefine(two, other);
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
