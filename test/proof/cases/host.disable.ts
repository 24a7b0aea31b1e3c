import { onHost } from '../on-host.js';

export const cases = [
  onHost('an enabled one', {
    input: { reason: 'new memory' },
    before: { enabled: true },
    after: { enabled: false },
  }),
];
