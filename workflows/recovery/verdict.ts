/** What all that was seen of a silent host means. Nothing is concluded from one place, nor from one that sees nobody. */
import type { Signal, Testimony, Verdict } from '../../model/incident.js';

export interface Seen {
  host: string;
  testimonies: readonly Testimony[];
  /** Vantage points that said nothing, and why. */
  unheard: readonly { vantage: string; why: string }[];
  /** What others saw: of its worker, of its guests' disks. */
  signs: readonly Signal[];
}

/** So many vantage points must see others, and see nothing of the host. */
const witnessesNeeded = 2;

export function judge({ host, testimonies: told, unheard, signs }: Seen): Verdict {
  // Who speaks twice is heard once: the last word counts.
  const testimonies = [...new Map(told.map((one) => [one.vantage, one])).values()];
  const verdict = (kind: Verdict['verdict'], says: string): Verdict => ({
    verdict: kind,
    says,
    testimonies,
    signs: [...signs],
  });

  const talkers = testimonies.filter((one) => seenBy(one, 'hypervisor') === 'answers');
  if (talkers.length > 0)
    return verdict('alive', `the hypervisor of ${host} answers ${listed(talkers.map(vantageOf))}`);

  const life = [
    ...testimonies
      .filter((one) => seenBy(one, 'network') === 'answers')
      .map(({ vantage }) => `its network answers ${vantage}`),
    ...signs.filter(({ seen }) => seen === 'answers').map(({ detail }) => detail),
  ];
  if (life.length > 0)
    return verdict('hung', `the hypervisor of ${host} answers nobody, but it lives: ${life.join('; ')}`);

  const witnesses = testimonies.filter(isWitness).map(vantageOf);
  if (witnesses.length >= witnessesNeeded)
    return verdict(
      'down',
      `${listed(witnesses)} see other hosts, and no sign of life of ${host}${beside(testimonies, unheard)}`,
    );
  return verdict('unclear', unclear(host, witnesses, testimonies, unheard));
}

/** It sees others, asked the host itself, and saw nothing of it. */
const isWitness = (one: Testimony): boolean =>
  seesOthers(one) && seenBy(one, 'network') === 'silent' && seenBy(one, 'hypervisor') !== 'answers';

const seesOthers = ({ isolated, controls }: Testimony): boolean => !isolated && controls.answered > 0;

const vantageOf = ({ vantage }: Testimony): string => vantage;

const seenBy = ({ signals }: Testimony, asked: Signal['signal']): Signal['seen'] =>
  signals.some(({ signal, seen }) => signal === asked && seen === 'answers')
    ? 'answers'
    : (signals.find(({ signal }) => signal === asked)?.seen ?? 'none');

function unclear(
  host: string,
  witnesses: readonly string[],
  testimonies: readonly Testimony[],
  unheard: Seen['unheard'],
): string {
  const heard = new Set([...testimonies.map(vantageOf), ...unheard.map(({ vantage }) => vantage)]);
  if (heard.size < witnessesNeeded) {
    const now = heard.size === 0 ? 'none is' : `only ${[...heard].join()} is`;
    return (
      `it takes two vantage points to tell a dead host from a cut-off observer, and ${now} configured: ` +
      'name them under `recovery: vantages:` and run `drover worker --vantage NAME` at each'
    );
  }
  const silent = witnesses.length === 0 ? [] : [`only ${listed(witnesses)} sees no sign of life of ${host}`];
  return `nothing can be concluded of ${host}: ${[...silent, ...doubts(testimonies, unheard)].join('; ')}`;
}

/** Those who were asked and do not count, with the reason. */
function doubts(testimonies: readonly Testimony[], unheard: Seen['unheard']): string[] {
  return [
    ...testimonies.flatMap((one) => {
      const { vantage, controls } = one;
      if (seesOthers(one)) return isWitness(one) ? [] : [`${vantage} could not ask its network`];
      if (controls.asked === 0) return [`${vantage} has no other host to compare with`];
      return [`${vantage} sees none of ${controls.asked} other hosts either: it is cut off itself`];
    }),
    ...unheard.map(({ vantage, why }) => `${vantage} said nothing (${why})`),
  ];
}

function beside(testimonies: readonly Testimony[], unheard: Seen['unheard']): string {
  const doubted = doubts(testimonies, unheard);
  return doubted.length === 0 ? '' : ` (not counted: ${doubted.join('; ')})`;
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
