import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { HostCtx } from '../../ctx.js';

/** By every device that it has: whichever cut it off, the others must let it be on as well. */
export async function powerOn(host: HostRef, ctx: HostCtx): Promise<void> {
  const { devices } = await ctx.call('fenceDevices', { host });
  const failed: string[] = [];
  for (const { name: device } of devices) {
    ctx.phase('turning on', device);
    const { answer } = await ctx.call('fenceOn', { host, device });
    if (!answer.ok || answer.power === 'off')
      failed.push(`${device}: ${answer.ok ? 'it is still off' : answer.error}`);
  }
  if (devices.length > failed.length) return;
  const why = devices.length === 0 ? 'it has no fence device' : failed.join('; ');
  throw new DroverError('FencingFailed', `${host.name} was not turned on: ${why}`, {
    details: { host: host.name, failed },
    hint: `turn it on yourself, then: drover host readmit ${host.name}`,
  });
}
