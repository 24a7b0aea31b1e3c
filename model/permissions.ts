/** Who may start a runbook. */
import { z } from 'zod';

export const permissionsSchema = z
  .strictObject({
    run: z
      .array(
        z.string().regex(/^(role:(operator|admin|automation)|[^:\s]+)$/, {
          error: 'must be a name, role:operator, role:admin or role:automation',
        }),
      )
      .min(1)
      .describe('Who may start it: names of persons and tokens, or roles.'),
  })
  .describe('Who may start the runbook. Default: every operator, administrator and automation.');
