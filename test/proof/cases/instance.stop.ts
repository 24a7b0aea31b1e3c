import type { Place } from '../case.js';
import { onInstance } from '../place.js';

export const cases = [
  onInstance('a running one', { well: 'stopped' }),
  onInstance('one that does not listen', {
    input: () => ({ grace: '5s' }),
    more: ({ datacenter, name }: Place) =>
      datacenter.transact((tx) => tx.run('update guests set obeys = 0 where name = ?', name)),
    well: 'stopped',
  }),
];
