import { proveKills, proveMutant } from './prove.js';

proveKills('after');
proveMutant();
