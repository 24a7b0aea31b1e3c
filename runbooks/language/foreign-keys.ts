/** Keys of other tools, and of a later drover, in the words of this language: who writes them knows what they want. */
import type { FileIssue } from '../../config/yaml-file.js';

const hints: Record<string, string> = {
  needs: 'steps run in the order of the file; parallel runs some at the same time',
  depends_on: 'steps run in the order of the file; parallel runs some at the same time',
  run: 'a step uses an operation: `drover runbook schema` lists them',
  shell: 'a step uses an operation: `drover runbook schema` lists them',
  command: 'a step uses an operation: `drover runbook schema` lists them',
  script: 'a step uses an operation: `drover runbook schema` lists them',
  when: 'write if',
  unless: 'write if, and ! before the condition',
  loop: 'write for-each',
  with_items: 'write for-each',
  matrix: 'write for-each',
  strategy: 'write for-each, max-parallel and max-failures',
  register: 'steps.ID.result is there by itself',
  ignore_errors: 'write continue-on-error',
  rescue: 'write on-failure',
  catch: 'write on-failure',
  always: 'write finally, for the whole run',
  parallel: 'the steps of parallel, on-failure and finally hold no further ones',
  'on-failure': 'the steps of parallel, on-failure and finally hold no further ones',
  retries: 'write retry: { attempts: … }',
  group: 'write key',
  sleep: 'write wait',
  delay: 'write wait',
  env: 'what a step takes stands in its with',
  jobs: 'write steps',
  tasks: 'write steps',
  vars: 'write inputs',
  params: 'write inputs',
  parameters: 'write inputs',
  schedule: 'write on: { schedule: … }',
  cron: 'write on: { schedule: … }',
  alert: 'write on: { alert: … }',
  triggers: 'write on',
  defaults: 'each input has its own default',
};

/** `known here: …` or nothing becomes what to write instead. */
export function explainForeign(issue: FileIssue): FileIssue {
  if (issue.message !== 'unknown key' || issue.hint?.startsWith('did you mean') === true) return issue;
  const key = issue.path.split('.').at(-1) ?? '';
  const hint = Object.hasOwn(hints, key) ? hints[key] : undefined;
  return hint === undefined ? issue : { ...issue, hint };
}
