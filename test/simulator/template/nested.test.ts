/** Nested and linked deployments. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { planDeployment } from '../../../simulator/template/index.ts';
import { account, body, cloud, failure, groupId, input, named, plan, storage, template } from './harness.ts';

function deployment(name: string, properties: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    type: 'Microsoft.Resources/deployments',
    apiVersion: '2022-09-01',
    name,
    properties: { mode: 'Incremental', ...properties },
    ...more,
  };
}

/** What the caller does with a nested deployment's body: runs it like any other. */
function planNested(nested: JsonObject): ReturnType<typeof planDeployment> {
  const { template: inner, parameters = {} } = nested['properties'] as {
    template: JsonObject;
    parameters?: JsonObject;
  };
  return planDeployment({ ...input({}), template: inner, parameters, deploymentName: 'nested' });
}

describe('inner scope', () => {
  it('keeps the template as it is, and evaluates the parameters outside', async () => {
    const inner = template({
      parameters: { name: { type: 'string' } },
      resources: [account("[parameters('name')]")],
    });
    const planned = plan({
      variables: { v: 'outer' },
      resources: [
        deployment('d', {
          expressionEvaluationOptions: { scope: 'inner' },
          template: inner,
          parameters: { name: { value: "[variables('v')]" } },
        }),
      ],
    });
    expect(named(planned, 'd').nested).toEqual({ expressionScope: 'inner' });
    const nested = await body(planned, 'd');
    expect(nested).toMatchObject({
      properties: { template: inner, parameters: { name: { value: 'outer' } } },
    });
    expect(planNested(nested).resources.map((each) => each.id)).toEqual([`${storage}/outer`]);
  });

  it('makes outputs that others wait for and read', async () => {
    const planned = plan({
      resources: [
        account('a', { properties: { x: "[reference('d').outputs.x.value]" } }),
        deployment('d', { expressionEvaluationOptions: { scope: 'inner' }, template: template({}) }),
      ],
    });
    const { id } = named(planned, 'd');
    expect(named(planned, 'a').dependsOn).toEqual([id]);
    const environment = cloud({
      [id]: { properties: { outputs: { x: { type: 'String', value: 'made' } } } },
    });
    expect(await body(planned, 'a', environment)).toMatchObject({ properties: { x: 'made' } });
  });
});

describe('outer scope', () => {
  const outer = {
    parameters: { prefix: { type: 'string', defaultValue: "it's" } },
    variables: { names: ['a', 'b'] },
    functions: [
      {
        namespace: 'my',
        members: {
          up: {
            parameters: [{ name: 't', type: 'string' }],
            output: { type: 'string', value: "[toUpper(parameters('t'))]" },
          },
        },
      },
    ],
  };

  it('puts in what the outer template knows, and leaves what only the inner one can know', async () => {
    const planned = plan({
      ...outer,
      resources: [
        account('base'),
        deployment('d', {
          template: template({
            parameters: { ignored: { type: 'string' } },
            variables: { names: 'ignored' },
            resources: [
              account("[concat(variables('names')[copyIndex()], my.up('x'))]", {
                copy: { name: 'inner', count: "[length(variables('names'))]" },
                tags: {
                  prefix: "[parameters('prefix')]",
                  index: "[format('{0}-{1}', parameters('prefix'), copyIndex('inner', 1))]",
                  literal: '[[x]',
                },
                properties: { endpoint: "[reference('base').endpoint]" },
              }),
            ],
            outputs: {
              first: {
                type: 'string',
                value:
                  "[reference(resourceId('Microsoft.Storage/storageAccounts', concat(variables('names')[0], my.up('x'))), '2023-05-01').kind]",
              },
            },
          }),
        }),
      ],
    });
    expect(named(planned, 'd').dependsOn).toEqual([`${storage}/base`]);
    const nested = await body(
      planned,
      'd',
      cloud({ [`${storage}/base`]: { properties: { endpoint: 'https://base' } } }),
    );
    const inside = planNested(nested);
    expect(inside.resources.map((each) => each.name)).toEqual(['aX', 'bX']);
    expect(await body(inside, 'bX')).toEqual({
      location: 'eastus',
      tags: { prefix: "it's", index: "it's-2", literal: '[x]' },
      properties: { endpoint: 'https://base' },
    });
    expect(await inside.evaluateOutputs(cloud({ [`${storage}/aX`]: { properties: { kind: 'k' } } }))).toEqual({
      first: { type: 'String', value: 'k' },
    });
  });

  it('stands by itself in a preview, where the outer resources are not there yet', async () => {
    const inner = template({
      resources: [account('i', { properties: { x: "[reference('base').x]", y: "[parameters('prefix')]" } })],
    });
    const planned = plan({ ...outer, resources: [account('base'), deployment('d', { template: inner })] });
    const inside = planNested(await planned.previewBody(named(planned, 'd'), cloud()));
    expect(await inside.previewBody(named(inside, 'i'), cloud())).toMatchObject({
      properties: { x: `[reference('${storage}/base', '2023-05-01').x]`, y: "it's" },
    });
  });

  it('means the outer loop where the inner template has none', async () => {
    const planned = plan({
      resources: [
        deployment(
          "[concat('d', copyIndex())]",
          { template: template({ resources: [account("[concat('s', copyIndex())]")] }) },
          { copy: { name: 'outer', count: 2 } },
        ),
      ],
    });
    expect(planNested(await body(planned, 'd1')).resources.map((each) => each.name)).toEqual(['s1']);
  });

  it('leaves a template of inner scope inside it alone', async () => {
    const innermost = template({
      variables: { names: 'mine' },
      resources: [account("[variables('names')]")],
    });
    const planned = plan({
      ...outer,
      resources: [
        deployment('d', {
          template: template({
            resources: [deployment('e', { expressionEvaluationOptions: { scope: 'inner' }, template: innermost })],
          }),
        }),
      ],
    });
    const inside = planNested(await body(planned, 'd'));
    expect(planNested(await body(inside, 'e')).resources.map((each) => each.name)).toEqual(['mine']);
  });
});

describe('linked templates', () => {
  it('are loaded, relative ones from where the outer template came', async () => {
    const planned = plan(
      {
        resources: [
          deployment('d', {
            templateLink: { relativePath: 'nested/n.json' },
            parametersLink: { uri: 'https://x/p.json' },
          }),
        ],
      },
      { templateLink: { uri: 'https://host/main.json' } },
    );
    const linked: Record<string, JsonObject> = {
      'https://host/nested/n.json': template({ parameters: { a: { type: 'int' } } }),
      'https://x/p.json': { $schema: 's', parameters: { a: { value: 1 } } },
    };
    const environment = {
      ...cloud(),
      loadLinkedTemplate: async (uri: string): Promise<JsonObject> => linked[uri] ?? {},
    };
    expect(planNested(await planned.evaluateBody(named(planned, 'd'), environment)).parameters).toEqual({
      a: { type: 'Int', value: 1 },
    });
  });

  it.each([
    ['templateLink', 'template', 'TemplateLink'],
    ['parametersLink', 'parameters', 'ParametersLink'],
  ])('are of the version that a %s names', async (link, contained, property) => {
    const of = (contentVersion: string): JsonObject => ({
      templateLink: { uri: 'https://x/n.json' },
      [link]: { uri: link === 'templateLink' ? 'https://x/n.json' : 'https://x/p.json', contentVersion },
    });
    const linked: Record<string, JsonObject> = {
      'https://x/n.json': template({}),
      'https://x/p.json': { $schema: 's', contentVersion: '1.0.0.0', parameters: {} },
    };
    const environment = {
      ...cloud(),
      loadLinkedTemplate: async (uri: string): Promise<JsonObject> => linked[uri] ?? {},
    };
    const evaluate = (contentVersion: string): Promise<JsonObject> => {
      const planned = plan({ resources: [deployment('d', of(contentVersion))] });
      return planned.evaluateBody(named(planned, 'd'), environment);
    };
    expect((await evaluate('1.0.0.0'))['properties']).toMatchObject({ template: template({}) });
    expect(await failure(() => evaluate('1.0.0.1'))).toBe(
      `InvalidTemplate: Deployment template validation failed: 'The content version contained in the ${contained} '1.0.0.0' does not match the content version found in the deployment object's ${property} property '1.0.0.1'. Please see https://aka.ms/arm-deploy for usage details.'.`,
    );
  });
});

describe('what modules write', () => {
  it('is a template that a variable holds, with expressions of its own', async () => {
    const held = template({
      parameters: { name: { type: 'string' } },
      resources: [account("[[parameters('name')]")],
    });
    const planned = plan({
      variables: { held },
      resources: [deployment('d', { template: "[variables('held')]", parameters: { name: { value: 'given' } } })],
    });
    const nested = await body(planned, 'd');
    expect(planNested(nested).resources.map((each) => each.id)).toEqual([`${storage}/given`]);
  });

  it('is an empty text for the group around', () => {
    const planned = plan({
      parameters: { elsewhere: { type: 'string', nullable: true } },
      languageVersion: '2.0',
      resources: {
        d: deployment(
          'd',
          { expressionEvaluationOptions: { scope: 'inner' }, template: template({}) },
          { resourceGroup: "[coalesce(parameters('elsewhere'), '')]" },
        ),
      },
    });
    expect(planned.resources.map((each) => each.id)).toEqual([
      `${groupId}/providers/Microsoft.Resources/deployments/d`,
    ]);
  });
});
