/** When no incident is opened for a host, and what is told instead. */
import { DroverError } from '../../model/errors.js';
import type { Host } from '../../model/host.js';
import type { RecoveryMode } from '../../model/incident.js';

/** A host that nobody may recover as it is now; undefined where it may be looked into. */
export function recoveryRefusal(
  host: Host,
  { mode, says }: { mode: RecoveryMode; says: string },
): DroverError | undefined {
  const { name, maintenance } = host;
  const refused = (rule: string, message: string, hint: string): DroverError =>
    new DroverError('RecoveryHeld', message, { details: { host: name, rule }, hint });
  if (host.controlPlane) {
    return refused(
      'control-plane',
      `${name} is a host of the control plane, which is never fenced: drover might cut off itself`,
      `bring it back by hand; if nothing of drover runs on it: \`drover host set ${name} --no-control-plane\``,
    );
  }
  if (mode === 'disarmed')
    return refused(
      'disarmed',
      `recovery is disarmed: ${says}`,
      `turn it on again with \`drover recovery arm${host.zone === null ? '' : ` [--zone ${host.zone}]`}\``,
    );
  if (maintenance !== null) {
    return refused(
      'maintenance',
      `${name} is in maintenance until ${maintenance.until} by ${maintenance.by} (${maintenance.reason}): it may be silent`,
      `wait, or if the work is over: \`drover host end-maintenance ${name}\``,
    );
  }
  return undefined;
}
