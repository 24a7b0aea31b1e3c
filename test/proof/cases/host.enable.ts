import { onHost } from '../on-host.js';

export const cases = [onHost('a disabled one', { before: { enabled: false }, after: { enabled: true } })];
