/** docs/output.schema.json: of every command, what it prints as JSON. */
import { Ajv } from 'ajv';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { commandsOf, makeOutputSchema, readOutputSchema } from '../../docs/make-output-schema.ts';
import { makeProgram } from '../../src/cli/program.ts';

it('is what the commands make', () => {
  expect(readOutputSchema(), 'run: npx node docs/make-output-schema.ts').toEqual(
    JSON.parse(JSON.stringify(makeOutputSchema())),
  );
});

it('has every command that does something, each of which takes --output json', () => {
  const leaves = (of: Command): Command[] => (of.commands.length === 0 ? [of] : of.commands.flatMap(leaves));
  const program = makeProgram();
  const all = program.commands.flatMap(leaves);
  expect(all.length).toBeGreaterThan(18);
  for (const command of all)
    expect(
      command.options.map(({ long }) => long),
      command.name(),
    ).toContain('--output');
  expect([...commandsOf(program).keys()]).toHaveLength(all.length);
  const { definitions } = readOutputSchema() as { definitions: object };
  expect(Object.keys(definitions)).toEqual(expect.arrayContaining([...commandsOf(program).keys(), 'error']));
});

it('is a schema that validators take, and open to what a later release adds', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(readOutputSchema() as object, 'output');
  const isFailure = ajv.getSchema('output#/definitions/error');
  const error = { code: 'UsageError', message: 'm', retryable: false, exitCode: 2 };
  expect(isFailure?.({ error: { ...error, added: 1 } })).toBe(true);
  expect(isFailure?.({ error: { ...error, code: 'Nonsense' } })).toBe(false);
});
