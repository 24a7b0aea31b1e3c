import { defaultHaPolicy } from '../../model/incident.js';
import { defaultMovePolicy } from '../../model/instance.js';
import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';
import { checkPolicies, policyInputs, policyPatch, type Policies } from './policies.js';

const nothing = 'set-policy needs a policy: max_downtime, allow, forbid, restart or ha';
const isEmpty = ({ max_downtime, allow, forbid, restart, ha }: Policies): boolean =>
  [max_downtime, restart, ha].every((one) => one === undefined) && allow.length === 0 && forbid.length === 0;

export const setPolicy = defineOperation({
  name: 'set-policy',
  summary:
    'Say how far a live migration of the instance may go, when drover starts it again by itself, and whether it is brought back from a lost host.',
  input: instanceRef.extend(policyInputs).superRefine((given, issues) => {
    checkPolicies(given, issues);
    if (isEmpty(given)) issues.addIssue({ code: 'custom', message: nothing });
  }),
  allowedStates: 'any',
  endsIn: 'as it was',
  errors: [],
  undone: 'Nothing: the policies are written at the end, or not at all.',
  doing: 'changing policies',
  recordOnly: true,
  async run(input, ctx) {
    const patch = policyPatch(ctx.instance.movePolicy, input);
    const { movePolicy = ctx.instance.movePolicy, restartPolicy = ctx.instance.restartPolicy } = patch;
    // A history of before the policy was there holds none.
    const haPolicy = patch.haPolicy ?? ctx.instance.haPolicy ?? defaultHaPolicy;
    return { patch, result: { movePolicy: movePolicy ?? defaultMovePolicy, restartPolicy, haPolicy } };
  },
});
