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
}): SearchAttributePair[] {
  const subjectKey = of.operation?.startsWith('host.') ? searchAttributes.host : searchAttributes.instance;
  return [
    { key: searchAttributes.cloud, value: of.cloud },
    ...(of.operation ? [{ key: searchAttributes.operation, value: of.operation }] : []),
    ...(of.subject ? [{ key: subjectKey, value: of.subject }] : []),
    ...(of.runbook ? [{ key: searchAttributes.runbook, value: of.runbook }] : []),
  ];
}
