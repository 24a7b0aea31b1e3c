/** Whose worker does a task: null is the control workers, a host's is its `workPlace`, and these are the others. */
import { hostQueue } from '../model/addresses.js';

export type Place = string | null;

export const recoveryPlace = '/recovery';
/** `vantage` as `vantagePlace` says it. */
export const placeOfVantage = (vantage: string): string => `/vantage/${vantage}`;

export const vantageAt = (place: Place): string | null =>
  place?.startsWith('/vantage/') === true ? place.slice('/vantage/'.length) : null;

/** Workers that take every task of their workflows; nobody gives up waiting for them. */
export const isShared = (place: Place): boolean => place === null || place === recoveryPlace;

export function queueOf(place: Place): string {
  if (place === null) return 'control';
  return place.startsWith('/') ? `control${place}` : hostQueue('control', place);
}
