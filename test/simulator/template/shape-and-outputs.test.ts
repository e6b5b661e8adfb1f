/** The shape of a template, and its outputs. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { validateTemplate } from '../../../simulator/template/index.ts';
import { cloud, failure, input, plan } from './harness.ts';

describe('outputs', () => {
  it('have conditions, loops and secrets', async () => {
    const planned = plan({
      outputs: {
        no: { type: 'string', condition: '[equals(1, 2)]', value: '[nope()]' },
        list: { type: 'array', copy: { count: 2, input: "[concat('n', copyIndex())]" } },
        hidden: { type: 'securestring', value: 'x' },
      },
    });
    expect(await planned.evaluateOutputs(cloud())).toEqual({
      list: { type: 'Array', value: ['n0', 'n1'] },
      hidden: { type: 'SecureString' },
    });
  });

  it('fail when everything is made, each with what is wrong with it', async () => {
    const planned = plan({
      outputs: {
        wrong: { type: 'int', value: 'x' },
        unknown: { type: 'string', value: "[parameters('p')]" },
        good: { type: 'int', value: 1 },
      },
    });
    await expect(planned.evaluateOutputs(cloud())).rejects.toMatchObject({
      code: 'DeploymentOutputEvaluationFailed',
      details: [
        {
          target: 'wrong',
          message:
            "The template output 'wrong' is not valid: Template output JToken type is not valid. Expected 'Integer'. Actual 'String'.Please see https://aka.ms/arm-syntax-outputs for usage details..",
        },
        {
          target: 'unknown',
          message:
            "The template output 'unknown' is not valid: The template parameter 'p' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details..",
        },
      ],
    });
  });

  it('are refused before anything is made if they cannot be read', async () => {
    expect(await failure(() => plan({ outputs: { o: { type: 'int', value: '[add(1]' } } }))).toMatch(
      /The template output 'o' at line '1' and column '\d+' is not valid: Unable to parse/,
    );
  });

  it.each(['[utcNow()]', '[newGuid()]', '[string(copyIndex())]'])(
    'and if %s stands where it may not',
    async (value) => {
      expect(await failure(() => plan({ outputs: { o: { type: 'string', value } } }))).toMatch(
        /^InvalidTemplate: .*The template output 'o' at line '1' and column '\d+' is not valid: The template function '\w+' is not expected at this location\./,
      );
    },
  );
});

describe('the shape of a template', () => {
  it('may be that of another scope', () => {
    const scope = '2018-05-01/subscriptionDeploymentTemplate.json#';
    const $schema = `https://schema.management.azure.com/schemas/${scope}`;
    expect(plan({ $schema }).resources).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    [
      'two parameters of one name',
      { parameters: { a: { type: 'int' }, A: { type: 'int' } } },
      "'An item with the same key has already been added. Key: A. Path 'properties.template.parameters.A'",
    ],
    [
      'an unknown member',
      { resource: [] },
      "InvalidRequestContent: The request content was invalid and could not be deserialized: 'Could not find member 'resource' on object of type 'Template'",
    ],
    [
      'names of resources without a language version that has them',
      { resources: { a: {} } },
      "because the type requires a JSON array to deserialize correctly. Path 'properties.template.resources'",
    ],
    [
      'types of members without such a version',
      { parameters: { p: { type: 'array', items: { type: 'string' }, defaultValue: [] } } },
      "Template language version must be specified in order to use feature 'AggregateTypeValidation'",
    ],
    [
      'a parameter that is a text',
      { parameters: { p: 'x' } },
      `Error converting value "x" to type 'Azure.Deployments.Core.Entities.TemplateInputParameter'. Path 'properties.template.parameters.p'`,
    ],
    [
      'an output that is a list',
      { outputs: { o: [] } },
      `Error converting value [] to type 'Azure.Deployments.Core.Entities.TemplateOutputParameter'`,
    ],
    [
      'resources that are a text',
      { resources: 'x' },
      "Expected 'resources' to be of type 'Array or Object', got 'String'",
    ],
    ['extensions', { imports: { k8s: {} } }, "The template's 'imports' (k8s) are not supported here"],
    [
      'too many outputs',
      {
        outputs: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`o${i}`, { type: 'int', value: i }])),
      },
      "Limit: '64' and actual: '65'",
    ],
  ])('refuses %s', async (_, parts, message) => {
    expect(await failure(() => plan(parts))).toContain(message);
  });

  it('needs a schema, a version and resources', async () => {
    const { template, ...rest } = input({});
    const { contentVersion: _, ...without } = template;
    expect(validateTemplate({ template: without, ...rest })).toEqual([
      {
        code: 'InvalidRequestContent',
        message:
          "The request content was invalid and could not be deserialized: 'Required property 'contentVersion' not found in JSON. Path 'properties.template', line 1, position 27.'.",
      },
    ]);
  });

  it.each<[string, JsonObject, string]>([
    ['a schema that is none', { $schema: 1 }, "Template schema '1' is not supported."],
    ['another schema', { $schema: 'https://x/2019-04-01/other.json' }, 'is not supported. Supported versions are'],
    ['a version that is a list', { contentVersion: [] }, "parsing value: [. Path 'properties.template.contentVersion'"],
  ])('refuses %s', async (_, parts, message) => {
    expect(await failure(() => plan(parts))).toContain(message);
  });
});
