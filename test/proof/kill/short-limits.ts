/** Built into the workflows of this test: what died is tried again within seconds, not after the minute that it may take. */
import { shortLimits } from './limits.js';

/** Above the pace at which a long activity beats. One worker is all hosts: none is missing, but it may be busy. */
export const interceptors = shortLimits({ attemptMs: 6_000, missing: '10m' });
