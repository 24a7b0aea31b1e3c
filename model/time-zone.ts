/** Time zones by their names in the IANA database; the runtime's own copy of it knows them. */

/** What is wrong with the name, in words; undefined where nothing is. Temporal reads names by their letters' case. */
export function timeZoneProblem(zone: string): string | undefined {
  const canonical = canonicalOf(zone);
  const usual = `must be a name of the IANA database, such as Europe/Berlin, not "${zone}"`;
  if (canonical === undefined || !/^[A-Z]/.test(zone)) return withMeant(usual, zone, canonical);
  // An older name of a zone, such as Asia/Kolkata for some and Asia/Calcutta for others, is as good.
  const sameLetters = zone.toLowerCase() === canonical.toLowerCase();
  if (sameLetters && zone !== canonical) return withMeant(usual, zone, canonical);
  return zone.split('/').every((part) => /^[A-Z]/.test(part)) || zone === canonical ? undefined : usual;
}

function withMeant(problem: string, zone: string, canonical: string | undefined): string {
  return canonical?.toLowerCase() === zone.toLowerCase() ? `${problem}: write ${canonical}` : problem;
}

/** Undefined for what is none. Offsets (+01:00) are none: they know no summer time, and Temporal refuses them. */
function canonicalOf(zone: string): string | undefined {
  if (!/^[A-Za-z]/.test(zone)) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
