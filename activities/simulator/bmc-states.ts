/**
 * - `dead`: it answers nobody. `hang`: it takes calls and never answers. `wrong-password`: it refuses ours.
 * - `deaf`: it says yes and does nothing. `lie`: so it does, and tells of the power what it was asked for.
 * - `swapped`: it has the power of another host, and tells that one's system UUID.
 */
export const bmcStates = ['ok', 'dead', 'hang', 'wrong-password', 'deaf', 'lie', 'swapped'] as const;
export type BmcState = (typeof bmcStates)[number];
