/** Templates that would hold up or break whoever evaluates them. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('limits', 'westus3');
}, 60_000);
afterAll(() => cloud.stop());

/** What a validation answers to a template with this variable: outputs are not evaluated before the end. */
async function validated(value: Json): Promise<{ status: number; code: Json; message: string }> {
  const template = {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    variables: { v: [value] },
    resources: [],
  };
  const { status, json } = await cloud.arm(
    `${group}/providers/Microsoft.Resources/deployments/x/validate?api-version=2024-03-01`,
    { method: 'POST', body: { properties: { mode: 'Incremental', template } } },
  );
  const error = (json.error ?? {}) as { code?: string; message?: string };
  return { status, code: error.code ?? null, message: error.message ?? '' };
}

const deep = (levels: number): string => `[${'trim('.repeat(levels)}'a'${')'.repeat(levels)}]`;

describe('a template is refused', () => {
  it.each([
    [
      'that takes too many steps',
      "[length(map(range(0, 5000), lambda('x', map(range(0, 10000), lambda('y', 1)))))]",
      'steps',
    ],
    ['that nests too deep', deep(3000), 'levels deep'],
    ['that pads beyond the longest text', "[padLeft('a', 999999999)]", '131072'],
    ['whose text is too long', "[replace(padLeft('', 10000, 'a'), 'a', padLeft('', 1000, 'b'))]", '131072'],
    ['whose text cannot be', "[replace(padLeft('', 100000, 'a'), 'a', padLeft('', 100000, 'b'))]", 'too long'],
    ['that adds beyond 64 bits', '[add(9223372036854775807, 1)]', 'overflow'],
    ['that multiplies beyond 64 bits', '[mul(9223372036854775807, -2)]', 'overflow'],
  ])('%s', async (_, value, reason) => {
    const { status, code, message } = await validated(value);
    expect([status, code]).toEqual([400, 'InvalidTemplate']);
    expect(message).toContain(reason);
  });

  it('not when it is within the limits', async () => {
    expect(await validated(deep(200))).toMatchObject({ status: 200 });
    expect(await validated("[length(map(range(0, 10000), lambda('x', lambdaVariables('x'))))]")).toMatchObject({
      status: 200,
    });
    expect(await validated("[length(padLeft('a', 131072))]")).toMatchObject({ status: 200 });
  });
});
