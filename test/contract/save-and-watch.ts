/** The part of the contract about memory on disk, and about guests that are looked at many at a time, or watched. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { GuestEvent, GuestSpec, Hypervisor } from '../../activities/hypervisor/port.js';
import type { HostRef } from '../../model/host.js';
import type { Owner } from '../../model/operation.js';

interface Contract {
  hypervisor: Hypervisor;
  one: HostRef;
  nowhere: HostRef;
  define: () => Promise<GuestSpec>;
  started: () => Promise<GuestSpec>;
  stampOf: (id: string, epoch?: number) => Owner;
}

export function saveAndWatch(my: () => Contract): void {
  it('saves the memory of a guest and restores it', async () => {
    const { hypervisor, one, started } = my();
    const { id } = await started();
    expect(await (await hypervisor.save(one, id)).ended).toBeNull();
    expect(await hypervisor.look(one, id)).toMatchObject({ power: 'shutoff', managedSave: true });
    expect(await (await hypervisor.restore(one, id)).ended).toBeNull();
    expect(await hypervisor.look(one, id)).toMatchObject({
      power: 'running',
      reason: 'restored',
      managedSave: false,
    });
    await hypervisor.destroy(one, id);
    await expect(hypervisor.restore(one, id)).rejects.toMatchObject({ code: 'StaleSavedState' });
  });

  it('boots a guest whose memory is saved without that memory', async () => {
    const { hypervisor, one, started } = my();
    const { id } = await started();
    await (
      await hypervisor.save(one, id)
    ).ended;
    await hypervisor.start(one, id);
    expect(await hypervisor.look(one, id)).toMatchObject({ reason: 'booted', managedSave: false });
  });

  it('removes saved memory with the definition', async () => {
    const { hypervisor, one, started, stampOf } = my();
    const spec = await started();
    await (
      await hypervisor.save(one, spec.id)
    ).ended;
    await hypervisor.undefine(one, spec.id);
    await hypervisor.define(one, spec, stampOf(spec.id, 2));
    await expect(hypervisor.restore(one, spec.id)).rejects.toMatchObject({ code: 'StaleSavedState' });
  });

  it('tells the power of all guests at once', async () => {
    const { hypervisor, one, define, started } = my();
    const [on, off] = [await started(), await define()];
    const still = await started();
    await hypervisor.pause(one, still.id);
    const told = new Map((await hypervisor.powers(one)).map(({ id, power }) => [id, power]));
    expect([told.get(on.id), told.get(off.id), told.get(still.id)]).toEqual(['running', 'shutoff', 'paused']);
  });

  it('tells what becomes of guests to who watches, until that one has enough', async () => {
    const { hypervisor, one, nowhere, started } = my();
    const spec = await started();
    const heard: GuestEvent[] = [];
    const enough = new AbortController();
    const watching = hypervisor.watch(one, (event) => void heard.push(event), enough.signal);
    await delay(2_000);
    await hypervisor.pause(one, spec.id);
    await hypervisor.destroy(one, spec.id);
    await vi.waitFor(() => expect(heard).toHaveLength(2), { timeout: 15_000, interval: 100 });
    expect(heard).toMatchObject([
      { id: spec.id, event: 'paused', detail: 'Suspended Paused' },
      { id: spec.id, event: 'stopped', detail: 'Stopped Destroyed' },
    ]);
    enough.abort();
    await watching;
    await expect(
      hypervisor.watch(nowhere, () => undefined, new AbortController().signal),
    ).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
  });
}
