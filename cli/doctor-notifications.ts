/** Whether the secrets of receivers can be read here; the control workers must be able to. */
import type { Config } from '../config/config.js';
import { checkSecret } from '../config/secrets.js';
import type { Check } from './doctor.js';

const name = 'notifications';

export async function notificationChecks({ notifications }: Pick<Config, 'notifications'>): Promise<Check[]> {
  if (notifications.length === 0) return [];
  const problems = await Promise.all(
    notifications.map(async ({ name: receiver, secret }): Promise<Check[]> => {
      const message = await checkSecret(secret, process.env);
      if (message === null) return [];
      const fix = 'correct it in drover.yaml, or make it readable for the control workers alone';
      return [{ name, state: 'warning', message: `${receiver}: ${message}`, fix, code: 'InvalidConfig' }];
    }),
  );
  const told = notifications.map((one) => one.name).join(', ');
  const message = `${told} can be told; try with \`drover notification test NAME\``;
  const fine: Check = { name, state: 'ok', message, fix: null, code: 'Internal' };
  return problems.flat().length > 0 ? problems.flat() : [fine];
}
