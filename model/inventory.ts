/** Where the inventory is: in a file of SQLite, or in a database of PostgreSQL. */
export type InventoryPlace = { path: string; url?: never } | { url: string; path?: never };

/** As it is told to people: of a URL neither password nor parameters, which may hold one. */
export function toldPlace(place: InventoryPlace): string {
  if (place.path !== undefined) return place.path;
  try {
    const { username, host, pathname } = new URL(place.url);
    return `postgresql://${username === '' ? '' : `${username}@`}${host}${pathname}`;
  } catch {
    return 'postgresql://…';
  }
}
