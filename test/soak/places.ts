/** The workers of a case, by their names. */
import { vantagePlace } from '../../model/addresses.js';
import { refOf, workerPlaces } from '../../virtual/cloud.js';
import { placeOfVantage } from '../../virtual/places.js';

const vantage = (name: string): string => placeOfVantage(vantagePlace(name, refOf('any')));

export const places = { ...workerPlaces, north: vantage('north'), south: vantage('south') } as const;
