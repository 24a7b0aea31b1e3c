import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';

/** Typed keys of the attributes of model/search-attributes.ts. */
export const searchAttributes = {
  cloud: defineSearchAttributeKey('DroverCloud', 'KEYWORD'),
  host: defineSearchAttributeKey('DroverHost', 'KEYWORD'),
  instance: defineSearchAttributeKey('DroverInstance', 'KEYWORD'),
  operation: defineSearchAttributeKey('DroverOperation', 'KEYWORD'),
  runbook: defineSearchAttributeKey('DroverRunbook', 'KEYWORD'),
  phase: defineSearchAttributeKey('DroverPhase', 'KEYWORD'),
};

/** What a workflow is found by from its start on. */
export function searchAttributesOf(of: {
  cloud: string;
  operation: string | null;
  subject: string | null;
  runbook: string | null;
  /** Where the instance was when it began; a host operation's subject is its host. */
  host: string | null;
}): SearchAttributePair[] {
  const onHost = of.operation?.startsWith('host.') ?? false;
  const host = onHost ? of.subject : of.host;
  return [
    { key: searchAttributes.cloud, value: of.cloud },
    ...(of.operation ? [{ key: searchAttributes.operation, value: of.operation }] : []),
    ...(of.subject && !onHost ? [{ key: searchAttributes.instance, value: of.subject }] : []),
    ...(host ? [{ key: searchAttributes.host, value: host }] : []),
    ...(of.runbook ? [{ key: searchAttributes.runbook, value: of.runbook }] : []),
  ];
}
