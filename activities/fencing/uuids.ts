/** Whether two devices mean the same machine: one UUID is written in three orders of its bytes. */

/** The same 16 bytes in the order of RFC 4122, of SMBIOS (its first three fields backwards) and of IPMI (all of it). */
function orders(hex: string): string[] {
  const bytes = hex.match(/../g) ?? [];
  const part = (from: number, to: number) => bytes.slice(from, to);
  const smbios = [
    ...part(0, 4).toReversed(),
    ...part(4, 6).toReversed(),
    ...part(6, 8).toReversed(),
    ...part(8, 16),
  ];
  return [hex, smbios.join(''), bytes.toReversed().join('')];
}

const bare = (uuid: string): string => uuid.toLowerCase().replaceAll(/[^0-9a-f]/g, '');

/** 32 hex digits from the wire as a UUID. */
export function fromIpmi(hex: string): string {
  const all = (hex.match(/../g) ?? []).toReversed().join('');
  return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
}

export const sameMachine = (one: string, other: string): boolean => orders(bare(one)).includes(bare(other));

/** Firmware that nobody gave a UUID tells one of these. */
export const isNoUuid = (uuid: string): boolean =>
  !/^[0-9a-f]{32}$/.test(bare(uuid)) || /^(0{32}|f{32})$/.test(bare(uuid));
