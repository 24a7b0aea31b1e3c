import { onInstance } from '../place.js';

const toSecond = {
  input: ({ hosts }: { hosts: readonly { name: string }[] }) => ({
    host: hosts[1]?.name,
    confirm_after: 'never',
  }),
  host: 1,
} as const;

export const cases = [
  onInstance('on shared storage', { ...toSecond, well: 'resized' }),
  onInstance('copying its disk', { ...toSecond, guest: { local: true }, well: 'resized' }),
  onInstance('of a stopped one, confirmed at once', {
    ...toSecond,
    guest: { local: true, state: 'stopped' },
    input: (place) => ({ ...toSecond.input(place), confirm_after: '0s' }),
    well: 'stopped',
  }),
];
