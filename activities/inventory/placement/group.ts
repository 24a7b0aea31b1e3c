/** What the policy of a server group says of a host. */
import type { Candidate, Group, Wanted } from './request.js';

const names = (of: readonly { name: string }[]): string => {
  const shown = of.slice(0, 3).map((member) => member.name);
  return of.length > 3 ? `${shown.join(', ')} and ${of.length - 3} more` : shown.join(', ');
};

export const membersOn = (group: Group | null, host: string): Group['members'] =>
  group?.members.filter((member) => member.hosts.includes(host)) ?? [];

/** Hosts on which a member is, or may come to be. */
export const hostsOf = (group: Group | null): string[] => [
  ...new Set(group?.members.flatMap((member) => member.hosts) ?? []),
];

/** Why a hard policy refuses the host. */
export function groupRefusal(name: string, group: Group | null): string | undefined {
  if (group === null) return undefined;
  const here = membersOn(group, name);
  if (group.policy === 'anti-affinity') {
    return here.length === 0
      ? undefined
      : `${names(here)} of the anti-affinity group ${group.name} ${here.length === 1 ? 'is' : 'are'} there`;
  }
  if (group.policy !== 'affinity' || hostsOf(group).length === 0) return undefined;
  // One that is being moved may end on either side: only who stays tells where the group is.
  if (here.some((member) => member.hosts.length === 1)) return undefined;
  const staying = group.members.filter((member) => member.hosts.length === 1);
  if (staying.length > 0) {
    const where = [...new Set(staying.flatMap((member) => member.hosts))].toSorted();
    return `the affinity group ${group.name} is on ${where.join(', ')}`;
  }
  const moving = group.members.filter((member) => member.hosts.length > 1);
  return `${names(moving)} of the affinity group ${group.name} is being moved: ask again when that is over`;
}

/** For soft policies, less is better: together where they can be, or apart. */
export function groupWeight({ name }: Candidate, { subject: { group } }: Wanted): number {
  const here = membersOn(group, name).length;
  if (group?.policy === 'soft-affinity') return -here;
  return group?.policy === 'soft-anti-affinity' ? here : 0;
}
