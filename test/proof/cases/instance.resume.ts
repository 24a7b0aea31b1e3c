import { bootGuest, endGuest, guestOn } from '../../../activities/simulator/guests.js';
import type { Place } from '../case.js';
import { onInstance } from '../place.js';

const guest = { state: 'suspended' } as const;

export const cases = [
  onInstance('from its memory', { guest, well: 'active' }),
  onInstance('without its memory', { guest, input: () => ({ discard_memory: true }), well: 'active' }),
  onInstance('whose disk was written since', {
    guest,
    well: 'active',
    fails: 'StaleSavedState',
    more: written,
  }),
];

/** Somebody booted it by hand, and ended it; and a copy of its memory is there again. */
async function written({ datacenter, hosts: [host], name }: Place): Promise<void> {
  await datacenter.transact((tx) => {
    const [found] = tx.all<{ id: string }>('select id from guests where name = ?', name);
    const id = found?.id ?? '';
    bootGuest({ ...tx, now: tx.now + 1000 }, host.name, id);
    const row = guestOn(tx, host.name, id);
    if (row) endGuest(tx, row, 'destroyed');
    tx.run('update guests set managed_save = 1 where id = ?', id);
  });
}
