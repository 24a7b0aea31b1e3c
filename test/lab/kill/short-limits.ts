/** Built into the workflows of this test: what died is tried again within seconds, though libvirt is slow here. */
import { shortLimits } from '../../proof/kill/limits.js';

export const interceptors = shortLimits({ attemptMs: 10_000 });
