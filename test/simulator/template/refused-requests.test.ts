/** Templates refused over HTTPS: where the fault stands in the client's own text, and secrets that parameters name. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { type HttpAnswer, TestCloud } from '../running-cloud.ts';
import { template } from './harness.ts';

const API = 'api-version=2024-03-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('refused', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const url = (): string => `${group}/providers/Microsoft.Resources/deployments/x`;

describe('a refusal', () => {
  it('tells line and column of the text as it was sent', async () => {
    const raw = `{ "properties": { "mode": "Incremental",
  template: ${JSON.stringify(template({}), null, 2).replace('"resources": []', '"resources": [\n    {}\n  ]')}
} }`;
    const headers = { 'content-type': 'application/json' };
    const { status, json } = await cloud.arm(`${url()}/validate?${API}`, { method: 'POST', raw, headers });
    expect([status, json.error]).toMatchObject([
      400,
      {
        code: 'InvalidTemplate',
        message: expect.stringContaining("The template resource '' at line '6' and column '5' is not valid."),
        additionalInfo: [{ type: 'TemplateViolation', info: { path: 'properties.template.resources[0].type' } }],
      },
    ]);
  });
});

describe('secrets that parameters name', () => {
  const secured = template({ parameters: { a: { type: 'securestring' }, b: { type: 'securestring' } } });
  const of = (vault: string, secretName: string): JsonObject => ({
    reference: { keyVault: { id: `${group}/providers/Microsoft.KeyVault/vaults/${vault}` }, secretName },
  });
  const deploy = (parameters: JsonObject): Promise<HttpAnswer> =>
    cloud.arm(`${url()}?${API}`, {
      method: 'PUT',
      body: { properties: { mode: 'Incremental', template: secured, parameters } },
    });

  it('must be there, used or not, before anything is made', async () => {
    const { tenantId } = cloud.at.address;
    const properties = {
      tenantId,
      sku: { family: 'A', name: 'standard' },
      accessPolicies: [],
      enabledForTemplateDeployment: true,
    };
    const id = `${group}/providers/Microsoft.KeyVault/vaults/refusedsecrets`;
    await cloud.make(id, { location: 'eastus', properties });
    const one = await deploy({ a: of('refusedsecrets', 'none'), b: { value: 'x' } });
    expect([one.status, one.json.error]).toMatchObject([
      400,
      {
        code: 'KeyVaultParameterReferenceSecretRetrieveFailed',
        message: expect.stringContaining(
          "The secret of KeyVault parameter 'a' cannot be retrieved. Http status code: 'NotFound'.",
        ),
      },
    ]);
    const both = await deploy({ a: of('refusedsecrets', 'none'), b: of('nowhere', 'none') });
    expect(both.json.error).toMatchObject({
      code: 'MultipleErrorsOccurred',
      details: [
        { code: 'KeyVaultParameterReferenceSecretRetrieveFailed' },
        { code: 'KeyVaultParameterReferenceNotFound' },
      ],
    });
  });

  it.each<[string, JsonObject, string, string]>([
    ['what is no parameter', { a: 'x' }, 'InvalidRequestContent', "Path 'properties.parameters.a', line 1, position"],
    [
      'a reference without a secret',
      { a: { reference: { keyVault: { id: '/x' } } } },
      'InvalidRequestContent',
      "Required property 'secretName' not found in JSON. Path 'properties.parameters.a.reference'",
    ],
    [
      'neither value nor reference',
      { a: {}, b: { value: 'x' } },
      'InvalidDeploymentParameterValue',
      "The value of deployment parameter 'a' is null.",
    ],
  ])('are not %s', async (_, parameters, code, message) => {
    const { status, json } = await deploy(parameters);
    expect([status, json.error]).toMatchObject([400, { code, message: expect.stringContaining(message) }]);
  });
});
