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

/** Whether it lets them. Roles that may only look are refused before. */
export const permitsRun = (
  permissions: z.infer<typeof permissionsSchema> | undefined,
  { name, role }: { name: string; role: string },
): boolean =>
  permissions === undefined || permissions.run.some((one) => one === name || one === `role:${role}`);
