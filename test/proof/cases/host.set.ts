import { onHost } from '../on-host.js';

export const cases = [
  onHost('into a zone, with a label and a store', {
    input: { zone: 'east', label: { disk: 'ssd' }, storage: { nfs1: '/srv/shared' } },
    before: { inEast: false },
    after: { inEast: true },
  }),
];
