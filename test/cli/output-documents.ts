/** What commands print as JSON, held against the schemas that the docs have. */
import { Ajv } from 'ajv';
import { expect } from 'vitest';
import { makeOutputSchema } from '../../docs/make-output-schema.ts';

const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema(makeOutputSchema({ closed: true }), 'output');

/** Fails where the document has something that the schema does not, or lacks something that it has. */
export function expectDocument(name: string, document: unknown): void {
  const valid = ajv.getSchema(`output#/definitions/${encodeURIComponent(name)}`);
  if (!valid) throw new Error(`there is no schema "${name}"`);
  expect(valid(JSON.parse(JSON.stringify(document))), JSON.stringify(valid.errors)).toBe(true);
}
