/**
 * Writes docs/output.schema.json from the commands: `node docs/make-output-schema.ts`. Of each command, the
 * JSON Schema of what it prints with `--output json`. A test holds that it is current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { documentOf } from '../src/cli/output.ts';
import { makeProgram } from '../src/cli/program.ts';
import { Failure, FailureDocument } from '../src/operations/documents/failure.ts';
import { Report } from '../src/report/schema.ts';
import { RunDocument } from '../src/run/run-document.ts';

const file = join(import.meta.dirname, 'output.schema.json');

/** What several documents hold: defined once, and referred to. */
const shared = { Failure, Report, Run: RunDocument };

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** All commands below this one, by the words that a person types. */
export function commandsOf(program: Command): Map<string, z.ZodType> {
  const found = new Map<string, z.ZodType>();
  const visit = (command: Command, words: string[]) => {
    const schema = documentOf(command);
    if (schema) found.set(words.join(' '), schema);
    for (const below of command.commands) visit(below, [...words, below.name()]);
  };
  for (const command of program.commands) visit(command, [command.name()]);
  return found;
}

/**
 * `closed`: no document may have a member that the schema does not know, as tests want it. For users a later
 * release may add some.
 */
export function makeOutputSchema({ closed = false }: { closed?: boolean } = {}): Record<string, unknown> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(shared)) registry.add(schema, { id });
  for (const [name, schema] of commandsOf(makeProgram())) if (!registry.has(schema)) registry.add(schema, { id: name });
  registry.add(FailureDocument, { id: 'error' });
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    target: 'draft-7',
    uri: (id) => `#/definitions/${id}`,
    override: ({ jsonSchema }) => {
      // JSON's own limits of a whole number are no limits that anyone set.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.type !== 'object' || !jsonSchema.properties) return;
      if (closed) jsonSchema.additionalProperties = false;
      else delete jsonSchema.additionalProperties;
    },
  });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'What the commands of Understudy print with --output json',
    description:
      'A definition a command; "error" is what a command prints that fails before it has a document of its own.',
    definitions: withAliases(schemas),
  };
}

/** Commands that print the same kind of document have one definition: the others refer to it. */
function withAliases(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const definitions: Record<string, JsonSchema> = {};
  const nameOf = new Map<z.ZodType, string>(Object.entries(shared).map(([name, schema]) => [schema, name]));
  for (const [name, schema] of commandsOf(makeProgram())) {
    const first = nameOf.get(schema);
    if (first !== undefined) definitions[name] = { $ref: `#/definitions/${first}` };
    nameOf.set(schema, first ?? name);
  }
  for (const [name, { $schema: _, $id: __, ...schema }] of Object.entries(schemas)) definitions[name] = schema;
  return definitions;
}

/** The file as it is. */
export function readOutputSchema(): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

if (import.meta.main) writeFileSync(file, `${JSON.stringify(makeOutputSchema(), null, 2)}\n`);
