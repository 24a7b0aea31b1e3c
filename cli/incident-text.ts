/** One incident for people. */
import type { IncidentView } from '../client/incidents.js';
import { countsOf } from '../client/incidents.js';
import type { Incident } from '../model/incident.js';
import { spanText } from './texts.js';

export function incidentLines(incident: IncidentView): [string, string | null][] {
  const { id, host, state, openedAt, endedAt, readmittedAt, by, reason, verdict, evidence, error } = incident;
  return [
    ['incident', id],
    ['host', host],
    ['state', `${state}${error === null ? '' : `: ${error.message}`}`],
    ['opened', `${openedAt}, by ${by}: ${reason}`],
    ['ended', endedAt === null ? 'no: it goes on' : `${endedAt}, after ${spanText(openedAt, endedAt)}`],
    ['readmitted', readmittedAt ?? 'no'],
    ['seen', verdict === null ? 'nothing yet' : `${verdict.verdict}: ${verdict.says}`],
    ['off for certain', evidence === null ? 'no' : evidence.says],
    ['waits for', incident.waitsFor],
    ...answersTo(incident),
    ['instances', instancesText(incident)],
    ['log', incident.log.map(({ at, phase, says }) => `${at}  ${phase}: ${says}`).join('\n')],
  ];
}

const answersTo = ({ id, waitsFor, endedAt }: Incident): [string, string][] =>
  waitsFor === null || endedAt !== null
    ? []
    : [['answer', `drover incident approve|reject|attest ${id} [--comment TEXT]`]];

/** What went as it should is counted; what needs somebody is named. */
function instancesText({ instances }: Incident): string {
  const named = instances.filter(({ outcome, says }) => outcome !== 'evacuated' || says !== '');
  return [
    countsOf(instances) ?? 'none yet',
    ...named
      .slice(0, mostNamed)
      .map(
        ({ name, was, outcome, host, says }) =>
          `${name}: was ${was}, ${outcome}${host === null ? '' : ` to ${host}`}${says === '' ? '' : `: ${says}`}`,
      ),
    ...(named.length > mostNamed ? [`… ${named.length - mostNamed} more: -o json`] : []),
  ].join('\n');
}

const mostNamed = 50;
