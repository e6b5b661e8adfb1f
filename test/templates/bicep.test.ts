/** The check of templates.test.ts can fail: whatever drifts between Bicep and ARM JSON is found. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { compileBicep } from './bicep.ts';
import { parseBicep } from './bicep-syntax.ts';

const folder = join(import.meta.dirname, '../../templates');
const bicep = (name: string): string => readFileSync(join(folder, `${name}.bicep`), 'utf8');
const arm = (name: string): JsonObject => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as JsonObject;

describe('drift between Bicep and ARM JSON is found', () => {
  const drifts: [string, string, string, string][] = [
    ['a parameter renamed', 'workspace', 'param friendlyName string', 'param displayName string'],
    [
      'a default changed',
      'workspace',
      "param storageSku string = 'Standard_LRS'",
      "param storageSku string = 'Standard_ZRS'",
    ],
    ['an allowed value gone', 'workspace', "  'Standard_GZRS'\n", ''],
    ['a limit changed', 'workspace', '@maxLength(33)', '@maxLength(32)'],
    [
      'an api-version changed',
      'workspace',
      'Microsoft.KeyVault/vaults@2023-07-01',
      'Microsoft.KeyVault/vaults@2024-11-01',
    ],
    ['a property changed', 'workspace', "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"],
    ['an expression changed', 'workspace', 'minNodeCount: compute.minNodes', 'minNodeCount: compute.maxNodes'],
    ['a condition turned', 'workspace', 'if (!empty(containerRegistryName))', 'if (empty(containerRegistryName))'],
    ['an output gone', 'workspace', 'output discoveryUrl string = workspace.properties.discoveryUrl\n', ''],
    ['a loop that is no longer serial', 'front-door', '@batchSize(1)\n', ''],
    ['a dependency gone', 'front-door', '  dependsOn: [\n    origin\n  ]\n', ''],
    [
      'a resource that is only read',
      'control-store',
      "blobServices@2023-05-01' =",
      "blobServices@2023-05-01' existing =",
    ],
  ];
  it.each(drifts)('%s', (_, name, from, to) => {
    const changed = bicep(name).replace(from, to);
    expect(changed).not.toBe(bicep(name));
    const { metadata: _metadata, ...template } = arm(name);
    let compiled: Json;
    try {
      compiled = compileBicep(changed);
    } catch (error) {
      // A renamed parameter that is still used no longer compiles at all.
      expect((error as Error).message).toContain('friendlyName');
      return;
    }
    expect(compiled).not.toEqual(template);
  });

  it('what the parser does not know is an error with its line', () => {
    expect(() => parseBicep("param a string\nmodule b 'c.bicep' = {}")).toThrow(
      "line 2: expected a statement (param, var, resource, output), got 'module'",
    );
    expect(() => parseBicep("param a string = 'x")).toThrow('line 1: expected the end of a text');
    expect(() => compileBicep("var a = r.id\nresource r 'A.B/c@1' = { name: 'x' }")).toThrow(
      "the variable 'a' is made of a resource",
    );
    expect(() => compileBicep("resource r 'A.B/c/d@1' = { name: 'x/y' }\noutput a string = r.id")).toThrow(
      "the resource 'r' needs a parent",
    );
    expect(() => compileBicep('output a string = any(1)')).toThrow("the function 'any' is not known here");
    expect(() => compileBicep('output a string = unknown')).toThrow(
      "'unknown' is no parameter, variable or loop variable",
    );
  });
});

describe('what the Bicep compiler makes of', () => {
  const compile = (value: string): Json => {
    const source = `param a string\nparam list array\nvar b = 1\noutput x string = ${value}`;
    return ((compileBicep(source)['outputs'] as JsonObject)['x'] as JsonObject)['value'] ?? null;
  };
  // Source: the Bicep documentation of operators, strings and its compiled output.
  it.each([
    ["'a${a}b{c}'", "[format('a{0}b{{c}}', parameters('a'))]"],
    ["'it\\'s'", "it's"],
    ["'[x]'", '[[x]'],
    ["a == 'x' ? 1 : b", "[if(equals(parameters('a'), 'x'), 1, variables('b'))]"],
    ["a != 'x'", "[not(equals(parameters('a'), 'x'))]"],
    ["list[0].?name ?? 'it\\'s'", "[coalesce(tryGet(parameters('list')[0], 'name'), 'it''s')]"],
    ['union(list, [1, a])', "[union(parameters('list'), createArray(1, parameters('a')))]"],
    ['{ k: [a, true] }', { k: ["[parameters('a')]", true] }],
  ])('%s', (source, expected) => {
    expect(compile(source)).toEqual(expected);
  });
});
