/** What people do to guests and files behind drover's back. */
import { putFile } from '../../../activities/simulator/files.js';
import { sharedDirectory } from '../../../activities/simulator/hosts.js';
import type { Tx } from '../../../activities/simulator/database.js';

export const byHand = {
  'moves the guest': (tx: Tx, { id, host }: Hand) =>
    tx.run('update guests set host = ? where id = ?', host, id),
  'defines the guest there, too': (tx: Tx, { id, host }: Hand) => copy(tx, id, host, 'shutoff'),
  'starts a copy of the guest': (tx: Tx, { id, host }: Hand) => copy(tx, id, host, 'running'),
  'removes the guest': (tx: Tx, { id }: Hand) => tx.run('delete from guests where id = ?', id),
  'leaves its saved memory': (tx: Tx, { name, host }: Hand) =>
    tx.run('insert into saves (host, guest) values (?, ?)', host, name),
  'copies its disk there': (tx: Tx, { id, host }: Hand) =>
    putFile(tx, host, {
      path: `${sharedDirectory}/${id}.qcow2`,
      format: 'qcow2',
      bytes: 8,
      allocated: 8,
      refers_to: null,
    }),
  'sets its autostart': (tx: Tx, { id }: Hand) => tx.run('update guests set autostart = 1 where id = ?', id),
} as const;

interface Hand {
  id: string;
  name: string;
  host: string;
}

function copy(tx: Tx, id: string, host: string, power: string): void {
  tx.run(
    `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, dirty)
       select ?, id, name, ?, 'unknown', 1, vcpus, memory_mib, disks, dirty from guests where id = ?`,
    host,
    power,
    id,
  );
}
