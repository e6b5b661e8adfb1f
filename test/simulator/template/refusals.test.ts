/** Expressions that are refused: what is said, and where. */

import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { planDeployment } from '../../../simulator/template/index.ts';
import { account, body, cloud, failure, groupId, input, plan, storage, subscriptionId } from './harness.ts';

describe('what is wrong is said, and where', () => {
  it.each([
    ["[foo('x')]", "The template function 'foo' is not valid."],
    ['[contoso.foo()]', "The template function 'contoso.foo' is not valid."],
    [
      "[concat('a']",
      "Unable to parse language expression 'concat('a'': expected token 'Comma' and actual 'EndOfData'.",
    ],
    ["[concat('a' ?)]", "the string character '?' at position '11' is not expected"],
    [
      '[toLower(1)]',
      "The template language function 'toLower' expects its parameter to be of type 'String'. The provided value is of type 'Integer'.",
    ],
    ["[padLeft('x')]", 'function requires 2 to 3 argument(s) while 1 were provided'],
    [
      "[substring('1234567890', 0, 11)]",
      "The index parameter: '0', the length parameter: '11', the length of the string parameter: '10'.",
    ],
    ["[createObject('a', 1).b]", "The language expression property 'b' doesn't exist, available properties are 'a'."],
    ['[createArray(1)[3]]', "The language expression property array index '3' is out of bounds"],
    ["[parameters('none')]", "The template parameter 'none' is not found."],
    ["[variables('none')]", "The template variable 'none' is not found."],
    ["[concat('a', createArray())]", 'Either all or none of the parameters must be an array.'],
    ['[div(1, 0)]', 'attempted to divide by zero'],
    ['[mul(4294967296, 4294967296)]', "'mul' overflowed with the operants '4294967296' and '4294967296'"],
    ['[utcNow()]', "The template function 'utcNow' is not expected at this location."],
    ['[newGuid()]', "The template function 'newGuid' is not expected at this location."],
    [
      '[copyIndex()]',
      "The template function 'copyIndex' is not expected at this location. The function can only be used in a resource with copy specified. Please see https://aka.ms/arm-copy for usage details.",
    ],
    ["[int('9223372036854775808')]", "'int' cannot convert provided value '9223372036854775808' to integer"],
    ["[resourceId('A.B/c', 'x', 'y')]", "the type 'A.B/c' requires '1' resource name argument(s)"],
    ["[json('{')]", 'cannot be converted to JSON'],
    ["[format('{1}', 'x')]", 'Index (zero based) must be greater than or equal to zero'],
    [
      "[reference('none')]",
      "The template reference 'none' is not valid: could not find template resource or resource copy with this name.",
    ],
    ["[less(1, 'a')]", "The provided types are 'Integer' and 'String'"],
    ["[fail('no way')]", 'no way'],
    ["[cidrSubnet('10.0.0.0/20', 16, 0)]", 'has no subnet /16 with index 0'],
    ["[filter(createArray(1), 'x')]", 'expects a lambda function'],
  ])('%s', async (expression, message) => {
    const resources = [account('a', { properties: { v: expression } })];
    const said = await failure(() => plan({ resources }));
    expect(said).toMatch(/^InvalidTemplate: /);
    expect(said).toContain(message);
  });

  it('as what it belongs to, in Azure’s words', async () => {
    const place = /at line '1' and column '\d+'/;
    const said = async (parts: JsonObject): Promise<string> =>
      (await failure(() => plan(parts))).replace(place, 'HERE');
    const functions = 'Please see https://aka.ms/arm-functions for usage details.';
    const none =
      "The template parameter 'p' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.";
    expect(await said({ resources: [account('a', { properties: { v: "[parameters('p')]" } })] })).toBe(
      `InvalidTemplate: Unable to process template language expressions for resource '${storage}/a' HERE. '${none}'`,
    );
    expect(await said({ resources: [account("[parameters('p')]")] })).toBe(
      `InvalidTemplate: Deployment template validation failed: 'The template resource '[parameters('p')]' HERE is not valid: ${none}. ${functions}'.`,
    );
    expect(await said({ variables: { v: "[parameters('p')]" } })).toBe(
      `InvalidTemplate: Deployment template validation failed: 'The template variable 'v' is not valid: ${none}. ${functions}'.`,
    );
    expect(await said({ parameters: { q: { type: 'string', defaultValue: "[parameters('p')]" } } })).toBe(
      `InvalidTemplate: Deployment template validation failed: 'The template resource 'q' HERE is not valid: ${none}. ${functions}'.`,
    );
    expect(await said({ resources: [account('a', { properties: { v: '[concat(]' } })] })).toBe(
      `InvalidTemplate: Deployment template validation failed: 'The template resource 'a' HERE is not valid: Unable to parse language expression 'concat(': expected token 'Identifier' and actual 'EndOfData'.. ${functions}'.`,
    );
    expect(await said({ resources: [account('a', { properties: { v: "[reference('b')]" } })] })).toBe(
      "InvalidTemplate: Deployment template validation failed: 'The template reference 'b' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details.'.",
    );
  });

  it('of a group that there is not, in capitals', async () => {
    const scope = { kind: 'subscription', subscriptionId, tenantId: 't', location: 'eastus' } as const;
    const said = await failure(() => plan({ variables: { v: '[resourceGroup().id]' } }, { scope }));
    expect(said).toContain(
      "'The template variable 'v' is not valid: The template function 'RESOURCEGROUP' is not expected at this location. Please see https://aka.ms/arm-functions for usage details..",
    );
  });

  it.each<[string, JsonObject, string]>([
    [
      'a member that resources do not have',
      { ...account('a'), description: 'x' },
      "Could not find member 'description' on object of type 'TemplateResource'. Path 'properties.template.resources[0].description', line 1, position ",
    ],
    [
      'a type that is an expression',
      { ...account('a'), type: "[concat('A.B', '/c')]" },
      'type property cannot be an expression',
    ],
    ['no name', { ...account(''), location: 'eastus' }, "The template resource '' at line '1' and column"],
    [
      'a loop within its parent',
      account('a', { resources: [{ ...account('b'), type: 'blobServices', copy: { name: 'l', count: 2 } }] }),
      'A copy loop cannot be used for a resource within its parent',
    ],
    [
      'an existing resource in the first version of the language',
      account('a', { existing: true }),
      'Template language version must be specified',
    ],
    ['a tag that is a list', account('a', { tags: { t: [] } }), "has an invalid tag 't'"],
    [
      'an expression too long',
      account('a', { properties: { v: `[concat('${'x'.repeat(131_072)}')]` } }),
      "The language expression length limit exceeded. Limit: '131072' and actual: '131084'.",
    ],
    ['a resource that waits for itself', account('a', { dependsOn: ['a'] }), 'Circular dependency detected'],
    [
      'a resource that refers to itself',
      account('a', { properties: { v: "[reference('a').x]" } }),
      `Circular dependency detected on resource: '${storage}/a'.`,
    ],
  ])('of %s', async (_, resource, message) => {
    expect(await failure(() => plan({ resources: [resource] }))).toContain(message);
  });
});

describe('the place of what is wrong', () => {
  const text = `{
  "properties": {
    "template": {
      "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
      "contentVersion": "1.0.0.0",
      // told by line and column, whatever the client wrote around it
      "parameters": { "size": { "type": "int" } },
      "resources": [
        { "type": "A.B/c", "apiVersion": "2020-01-01", "name": "x", "properties": { "v": "[nope()]" } }
      ]
    }
  }
}`;
  const refused = (parts: JsonObject): unknown => {
    try {
      return planDeployment({ ...input(parts), text });
    } catch (error) {
      return error;
    }
  };

  it('is counted in the text that the client sent, as Azure’s reader counts', () => {
    expect(refused({ parameters: { size: { type: 'int' } } })).toMatchObject({
      message:
        "Deployment template validation failed: 'The value for the template parameter 'size' at line '7' and column '31' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.'.",
      additionalInfo: [
        {
          type: 'TemplateViolation',
          info: { lineNumber: 7, linePosition: 31, path: 'properties.template.parameters.size' },
        },
      ],
    });
    const resource = { type: 'A.B/c', apiVersion: '2020-01-01', name: 'x', properties: { v: '[nope()]' } };
    expect(refused({ resources: [resource] })).toMatchObject({
      message: expect.stringContaining("at line '9' and column '9'"),
      additionalInfo: [{ info: { path: 'properties.template.resources[0].properties.v' } }],
    });
  });

  it('is told of what fails while deploying, too', async () => {
    const id = `${groupId}/providers/A.B/d/y`;
    const v = `[reference('${id}', '2020-01-01').none]`;
    const planned = plan({ resources: [account('a', { properties: { v } })] });
    const known = cloud({ [id]: { properties: { some: 1 } } });
    await expect(body(planned, 'a', known)).rejects.toMatchObject({
      message: expect.stringMatching(
        /at line '1' and column '\d+'\. 'The language expression property 'none' doesn't exist, available properties are 'some'\.'$/,
      ),
      additionalInfo: [{ type: 'TemplateViolation' }],
    });
  });
});

describe('a template deeper than the stack', () => {
  let deep: Json = 'x';
  for (let level = 0; level < 20_000; level += 1) deep = { a: deep };

  it.each([
    ['body', { resources: [account('a', { properties: deep })] }],
    ['output', { outputs: { o: { type: 'object', value: deep } } }],
    ['default', { parameters: { p: { type: 'object', defaultValue: deep } } }],
  ] as [string, JsonObject][])('in a %s is refused', async (_, parts) => {
    expect(await failure(() => plan(parts))).toMatch(/^InvalidTemplate: .*too deep/);
  });
});
