import type { Case } from '../case.js';
import { directories, image } from '../place.js';

const launched = (title: string, directory: string, more: Partial<Case> & { image?: string } = {}): Case => ({
  title,
  ...(more.fails === undefined ? {} : { fails: more.fails }),
  async setUp(place) {
    const id = place.uuid();
    const input = {
      instance: id,
      name: place.name,
      vcpus: 1,
      memory_mib: 128,
      image: more.image ?? image,
      directory,
      host: place.hosts[0].name,
      attempts: 2,
    };
    const failed = { state: 'error', host: null } as const;
    const well = more.fails === undefined ? ({ state: 'active', host: place.hosts[0] } as const) : failed;
    return { input, instance: { id, well, else: 'deleted' } };
  },
});

export const cases = [
  launched('on shared storage', directories.shared),
  launched('on local storage', directories.local),
  launched('of an image that is not there', directories.local, {
    image: '/images/none.qcow2',
    fails: 'NoValidHost',
  }),
];
