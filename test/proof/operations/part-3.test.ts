import { prove } from './prove.js';

await prove(2);
