/** Parameters, variables and user-defined functions. */

import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { validateTemplate } from '../../../simulator/template/index.ts';
import { account, body, failure, input, plan, value } from './harness.ts';

const given = (parameters: Record<string, Json>): { parameters: JsonObject } => ({
  parameters: Object.fromEntries(Object.entries(parameters).map(([name, each]) => [name, { value: each }])),
});

describe('parameters', () => {
  it('take what is given, whatever the case of the name, and else the default, which may use other parameters', async () => {
    const parameters = {
      prefix: { type: 'string', defaultValue: 'p' },
      name: { type: 'string', defaultValue: "[concat(parameters('PREFIX'), '-', resourceGroup().name)]" },
    };
    expect(await value("[parameters('name')]", { parameters })).toBe('p-rg');
    expect(await value("[parameters('name')]", { parameters }, given({ Prefix: 'q' }))).toBe('q-rg');
  });

  it('are not evaluated as expressions when given', async () => {
    const parameters = { text: { type: 'string' } };
    expect(await value("[parameters('text')]", { parameters }, given({ text: '[resourceGroup().name]' }))).toBe(
      '[resourceGroup().name]',
    );
  });

  it('show their effective values, secure ones by type only', () => {
    const parameters = {
      count: { type: 'int', defaultValue: 2 },
      password: { type: 'secureString' },
      settings: { type: 'secureObject', defaultValue: { a: 1 } },
      key: { type: 'securestring' },
    };
    const vault = {
      keyVault: { id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v' },
      secretName: 'k',
    };
    const planned = plan({ parameters }, { parameters: { password: { value: 'hunter2' }, key: { reference: vault } } });
    expect(planned.parameters).toEqual({
      count: { type: 'Int', value: 2 },
      password: { type: 'SecureString' },
      settings: { type: 'SecureObject' },
      key: { type: 'SecureString', reference: vault },
    });
    expect(JSON.stringify(planned.parameters)).not.toContain('hunter2');
  });

  it('give a new guid once a deployment', async () => {
    const parameters = { id: { type: 'string', defaultValue: '[newGuid()]' } };
    expect(await value("[equals(parameters('id'), parameters('id'))]", { parameters })).toBe(true);
    expect(await value("[length(parameters('id'))]", { parameters })).toBe(36);
  });

  it('read Key Vault secrets only while deploying', async () => {
    const vault = {
      keyVault: { id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v' },
      secretName: 'k',
    };
    const planned = plan(
      {
        parameters: { key: { type: 'securestring' } },
        variables: { line: "[concat('key=', parameters('key'))]" },
        resources: [account('a', { properties: { line: "[variables('line')]" } })],
      },
      { parameters: { key: { reference: vault } } },
    );
    expect(await body(planned, 'a')).toMatchObject({ properties: { line: 'key=secret k of v' } });
  });

  it.each<[string, JsonObject, Record<string, Json>, string]>([
    [
      'a missing value',
      { a: { type: 'string' } },
      {},
      "The value for the template parameter 'a' at line '1' and column '180' is not provided.",
    ],
    [
      'an unknown parameter',
      { a: { type: 'string' } },
      { a: 'x', b: 1 },
      "The template parameters 'b' in the parameters file are not valid; they are not present in the original template",
    ],
    [
      'a wrong type',
      { a: { type: 'int' } },
      { a: 'x' },
      "Template parameter JToken type is not valid. Expected 'Integer'. Actual 'String'.",
    ],
    [
      'a value that is not allowed',
      { a: { type: 'string', allowedValues: ['x', 'y'] } },
      { a: 'z' },
      "The parameter value is not part of the allowed value(s): 'x,y'.",
    ],
    [
      'a default that is not allowed',
      { a: { type: 'string', allowedValues: ['x'], defaultValue: 'z' } },
      {},
      "The provided value 'z' for the template parameter 'a' at line '1' and column '180' is not valid.",
    ],
    [
      'a text too long',
      { a: { type: 'string', maxLength: 2 } },
      { a: 'abc' },
      "is not valid. Length of the value should be less than or equal to '2'. Please see https://aka.ms/arm-create-parameter-file for usage details.",
    ],
    [
      'a bound that is no number',
      { a: { type: 'int', maxValue: 'ten' } },
      { a: 2 },
      "Could not convert 'ten' to integer. Path 'properties.template.parameters.a.maxValue'",
    ],
    [
      'a number too small',
      { a: { type: 'int', minValue: 3 } },
      { a: 2 },
      "The value should be greater than or equal to '3'.",
    ],
    [
      'an array too short',
      { a: { type: 'array', minLength: 1 } },
      { a: [] },
      "Length of the value should be greater than or equal to '1'.",
    ],
    [
      'an unknown type',
      { a: { type: 'text' } },
      { a: 'x' },
      "The type 'text' at line '1' and column '180' is not valid.",
    ],
    [
      'a default that needs itself',
      { a: { type: 'string', defaultValue: "[parameters('a')]" } },
      {},
      'Circular reference detected',
    ],
    [
      'a reference in a default',
      { a: { type: 'object', defaultValue: "[reference('/x', '1')]" } },
      {},
      "The template function 'reference' is not expected at this location.",
    ],
  ])('refuse %s', async (_, parameters, values, message) => {
    const [problem] = validateTemplate(input({ parameters }, given(values)));
    expect(problem?.code).toBe(problem?.message.includes('deserialized') ? 'InvalidRequestContent' : 'InvalidTemplate');
    expect(problem?.message).toContain(message);
  });

  it('follow type definitions (Bicep’s user-defined types)', async () => {
    const definitions = {
      compute: {
        type: 'object',
        properties: { name: { type: 'string', minLength: 2 }, nodes: { type: 'int', nullable: true } },
        additionalProperties: false,
      },
    };
    const parameters = { computes: { type: 'array', items: { $ref: '#/definitions/compute' } } };
    const parts = { languageVersion: '2.0', definitions, parameters, resources: {} };
    expect(await value("[length(parameters('computes'))]", parts, given({ computes: [{ name: 'cpu' }] }))).toBe(1);
    const said = async (compute: Json): Promise<string> => failure(() => plan(parts, given({ computes: [compute] })));
    expect(await said({ nodes: 1 })).toContain("missing values for the following required properties: ['name']");
    expect(await said({ name: 'cpu', size: 'x' })).toContain(
      "The object does not allow values with properties not defined in the schema, but the following unknown properties were present: ['size'].",
    );
    expect(await said({ name: 'c' })).toMatch(
      /template parameter 'computes\[0\]\.name' at line '1' and column '\d+' is not valid\. Length of the value/,
    );
    expect(await said('cpu')).toContain("Expected a value of type 'Object', but received a value of type 'String'.");
  });

  it('are kept secret when they are refused', async () => {
    const parameters = { a: { type: 'securestring', allowedValues: ['x'] } };
    const said = await failure(() => plan({ parameters }, given({ a: 'hunter2' })));
    expect(said).toContain("The provided value for the template parameter 'a'");
    expect(said).not.toContain('hunter2');
  });

  it('may be of any type where none is declared', () => {
    expect(plan({ parameters: { a: {} } }, given({ a: [1] })).parameters).toEqual({
      a: { type: 'Array', value: [1] },
    });
  });

  it('may be null where they are nullable', async () => {
    const parameters = { a: { type: 'string', nullable: true } };
    expect(await value("[coalesce(parameters('a'), 'none')]", { parameters })).toBe('none');
  });
});

describe('variables', () => {
  it('use each other, and loops', async () => {
    const variables = {
      sizes: "[length(variables('names'))]",
      names: ['a', 'b'],
      copy: [
        {
          name: 'full',
          count: "[variables('sizes')]",
          input: { name: "[concat(variables('names')[copyIndex('full')], copyIndex('full', 1))]" },
        },
      ],
      nested: { copy: [{ name: 'inner', count: 2, input: "[copyIndex('inner')]" }], other: true },
    };
    expect(await value("[variables('full')]", { variables })).toEqual([{ name: 'a1' }, { name: 'b2' }]);
    expect(await value("[variables('nested')]", { variables })).toEqual({ inner: [0, 1], other: true });
  });

  it('are checked even if nothing uses them', async () => {
    expect(await failure(() => plan({ variables: { broken: '[nope()]' } }))).toContain(
      "The template variable 'broken' is not valid: The template function 'nope' is not valid.",
    );
    expect(await failure(() => plan({ variables: { a: "[variables('b')]", b: "[variables('a')]" } }))).toContain(
      'Circular reference detected',
    );
  });
});
