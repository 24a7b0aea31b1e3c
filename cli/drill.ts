/** `drover host recover HOST --dry-run`: a drill, on virtual time over a copy of the inventory. */
import { DroverError } from '../model/errors.js';
import { datacenterOf } from '../model/addresses.js';
import type { Context } from './context.js';
import { printData, table, write } from './output.js';
import { counted, secondsText } from './texts.js';
import type { Drill } from '../virtual/drill.js';

/** Exit code 1 where something would not be brought back; a refusal is thrown as the recovery would tell it. */
export async function tellDrill(context: Context, name: string): Promise<void> {
  const { config, inventory, output } = context;
  const { getHost } = await import('../activities/inventory/hosts.js');
  const { deviceName } = await import('../activities/fencing/agents.js');
  const { drill } = await import('../virtual/drill.js');
  const host = await getHost(inventory, name);
  const configured = (config.fencing.hosts[name] ?? []).map((device, index) => ({
    name: deviceName(name, index, device),
    level: device.level,
  }));
  const told = await drill(inventory, {
    host: host.name,
    rules: config.recovery,
    strategy: config.placement.strategy,
    devices: datacenterOf(host.uri) === null ? configured : null,
    countsSelfFence: config.fencing.countSelfFence,
  });
  if (output.format === 'table') write(await text(told));
  else await printData(output, told);
  if (told.refusal !== null) {
    const { code, message, details, hint } = told.refusal;
    throw new DroverError(code, message, { details, hint });
  }
  if (told.instances.some(({ outcome }) => outcome === 'waiting' || outcome === 'failed'))
    process.exitCode = 1;
}

async function text({
  host,
  refusal,
  ends,
  asks,
  instances,
  phases,
  seconds,
  log,
  assumed,
}: Drill): Promise<string> {
  if (refusal !== null) return `recover of ${host}: would be refused; nothing was done`;
  const rows = instances.map((one) => [one.name, one.ha, one.was, one.host ?? one.outcome]);
  const left = instances.filter(({ outcome, says }) => outcome !== 'evacuated' && says !== '');
  const time = seconds === null ? 'not known' : secondsText(seconds);
  return [
    `recover of ${host}, a drill; nothing was done`,
    ...assumed.map((one) => `  assumed: ${one}`),
    ...log.map(({ after, phase, says }) => `  +${after}s ${phase}: ${says}`),
    ...(rows.length === 0 ? [] : [await table(['INSTANCE', 'HA', 'WAS', 'GOES TO'], rows)]),
    ...left.map(({ name, says }) => `${name}: ${says}`),
    ...asks.map((one) => `would ask or wait: ${one}`),
    `predicted time: ${time} (${phases.map((one) => `${one.phase} ${one.seconds === null ? 'not known' : secondsText(one.seconds)}`).join(', ')})`,
    `would end so: ${ends} (${counted(instances.length, 'instance')})`,
  ].join('\n');
}
