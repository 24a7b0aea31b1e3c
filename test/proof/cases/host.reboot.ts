import { onHost } from '../on-host.js';

export const cases = [
  onHost('an empty one', { before: { enabled: false }, after: { enabled: false, rebooted: true } }),
  onHost('one that takes instances', {
    before: { enabled: true },
    after: { enabled: true, rebooted: false },
    fails: 'WrongState',
  }),
];
