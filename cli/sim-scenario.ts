/** Scenario files of the simulation: a list of faults with their times, checked with the place of each mistake. */
import { readFile } from 'node:fs/promises';
import type { Fault } from '../activities/simulator/faults.js';
import { scenarioSchema } from '../activities/simulator/faults.js';
import { formatIssues, readYaml, sortIssues, type FileIssue } from '../config/yaml-file.js';
import { didYouMean } from '../model/did-you-mean.js';
import { DroverError } from '../model/errors.js';

/** Throws InvalidInput with every mistake; also for a host or a rack that the datacenter does not have. */
export async function readScenario(
  file: string,
  known: { hosts: readonly string[]; racks: readonly string[] },
): Promise<Fault[]> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new DroverError('NotFound', `cannot read the scenario ${file}: ${String(error)}`, {
      hint: 'name a YAML file with a list of faults, each with at, do and hosts',
    });
  });
  const read = readYaml(source, file, scenarioSchema);
  const faults = read.value ?? [];
  const unknown = faults.flatMap((fault, index): FileIssue[] =>
    names(fault).flatMap(({ path, name }) => {
      const among = path[0] === 'rack' ? known.racks : known.hosts;
      if (among.includes(name)) return [];
      const meant = didYouMean(name, among);
      const what = path[0] === 'rack' ? 'rack' : 'host';
      const hint = meant === undefined ? undefined : `did you mean "${meant}"?`;
      return [read.issue([index, ...path], `the datacenter has no ${what} "${name}"`, { hint })];
    }),
  );
  const all = sortIssues([...read.issues, ...unknown]);
  if (all.length === 0) return faults;
  throw new DroverError('InvalidInput', formatIssues(all), {
    details: { issues: all },
    hint: 'correct the places named; `drover sim status` lists the hosts',
  });
}

function names(fault: Fault): { path: (string | number)[]; name: string }[] {
  const listed = (key: string, list: readonly string[]) =>
    list.map((name, index) => ({ path: [key, index], name }));
  return [
    ...('hosts' in fault ? listed('hosts', fault.hosts) : []),
    ...('only' in fault ? listed('only', fault.only ?? []) : []),
    ...('from' in fault ? listed('from', fault.from ?? []) : []),
    ...('host' in fault && fault.host !== undefined ? [{ path: ['host'], name: fault.host }] : []),
    ...('rack' in fault ? [{ path: ['rack'], name: fault.rack }] : []),
  ];
}
