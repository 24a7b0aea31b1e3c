import { onHost } from '../on-host.js';

export const cases = [
  onHost('before its time', { before: { maintenance: true }, after: { maintenance: false } }),
];
