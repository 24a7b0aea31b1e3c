import { onHost } from '../on-host.js';

export const cases = [
  onHost('for two hours', {
    input: { for: '2h', reason: 'new memory' },
    before: { maintenance: false },
    after: { maintenance: true },
  }),
];
