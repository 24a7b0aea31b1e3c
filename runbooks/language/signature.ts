import { z } from 'zod';
import { inputValueSchema } from '../../model/runbook-inputs.js';
import type { Signature } from './catalogue.js';

const before = new WeakMap<Signature['inputs'], z.ZodObject>();

/** What a runbook takes, as an operation's input. */
export function signatureSchema(inputs: Signature['inputs']): z.ZodObject {
  const schema = before.get(inputs) ?? schemaOf(inputs);
  before.set(inputs, schema);
  return schema;
}

function schemaOf(inputs: Signature['inputs']): z.ZodObject {
  const fields = Object.entries(inputs).map(([name, input]) => {
    const value = inputValueSchema(input);
    const field = input.default === undefined ? value : value.optional();
    return [name, input.description === undefined ? field : field.describe(input.description)] as const;
  });
  return z.object(Object.fromEntries(fields));
}
