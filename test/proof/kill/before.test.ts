import { proveKills } from './prove.js';

proveKills('before');
