/** References between resources, by name, id and symbolic name. */

import { describe, expect, it } from 'vitest';
import { account, body, cloud, failure, groupId, named, plan, storage } from './harness.ts';

describe('references', () => {
  it('read what is there when the body is evaluated: properties, or all', async () => {
    const asked: string[] = [];
    const environment = cloud(
      {
        [`${storage}/b`]: {
          location: 'westus3',
          properties: { endpoint: 'https://b' },
          identity: { principalId: 'p' },
        },
      },
      asked,
    );
    const planned = plan({
      resources: [
        account('b'),
        account('a', {
          properties: {
            endpoint: "[reference('b').endpoint]",
            twice:
              "[concat(reference('b').endpoint, reference(resourceId('Microsoft.Storage/storageAccounts', 'b'), '2022-01-01', 'Full').location)]",
            principal: "[reference('b', '2023-05-01', 'full').identity.principalId]",
            key: "[listKeys('b', '2023-05-01').keys[0].value]",
          },
        }),
      ],
    });
    expect(await planned.evaluateBody(named(planned, 'a'), environment)).toEqual({
      location: 'eastus',
      properties: { endpoint: 'https://b', twice: 'https://bwestus3', principal: 'p', key: 'key of b' },
    });
    // Each answer is fetched once for a body.
    expect(asked).toEqual([
      `${storage}/b 2023-05-01 properties`,
      `${storage}/b 2022-01-01 full`,
      `${storage}/b 2023-05-01 full`,
      `listKeys ${storage}/b 2023-05-01`,
    ]);
  });

  it('fail as the cloud fails, and only if they are needed', async () => {
    const planned = plan({
      resources: [
        account('a', { properties: { x: "[reference('/nowhere', '1').y]" } }),
        account('b', { properties: { x: "[if(true(), 'no', reference('/nowhere', '1').y)]" } }),
      ],
    });
    await expect(planned.evaluateBody(named(planned, 'a'), cloud())).rejects.toMatchObject({
      code: 'ResourceNotFound',
      status: 404,
    });
    expect(await body(planned, 'b')).toMatchObject({ properties: { x: 'no' } });
  });

  it('stay as they are written in a preview of what is not there', async () => {
    const planned = plan({
      resources: [account('b'), account('a', { properties: { x: "[reference('b').y]", z: '[add(1, 1)]' } })],
    });
    expect(await planned.previewBody(named(planned, 'a'), cloud())).toMatchObject({
      properties: { x: "[reference('b').y]", z: 2 },
    });
  });
});

describe('symbolic names', () => {
  const resources = {
    vault: {
      existing: true,
      type: 'Microsoft.KeyVault/vaults',
      apiVersion: '2023-07-01',
      name: 'kv',
      dependsOn: ['first'],
    },
    first: account('one'),
    many: account("[format('m{0}', copyIndex())]", {
      copy: { name: 'many', count: 2 },
      dependsOn: ['vault'],
    }),
    last: account('z', {
      properties: {
        uri: "[reference('vault').vaultUri]",
        second: "[reference('many[1]').n]",
        all: "[map(references('many'), lambda('each', lambdaVariables('each').n))]",
        id: "[resourceInfo('first').id]",
      },
      dependsOn: ['many[0]'],
    }),
  };
  it('name existing resources, loops and their turns', async () => {
    const planned = plan({ languageVersion: '2.0', resources });
    expect(
      planned.resources.map((each) => [
        each.symbolicName,
        each.name,
        each.existing,
        each.dependsOn.map((id) => id.split('/').at(-1)),
      ]),
    ).toEqual([
      ['vault', 'kv', true, []],
      ['first', 'one', false, []],
      // Behind the existing vault stands what the vault depends on.
      ['many', 'm0', false, ['one']],
      ['many', 'm1', false, ['one']],
      ['last', 'z', false, ['m0', 'one', 'm1']],
    ]);
    const environment = cloud({
      [`${groupId}/providers/Microsoft.KeyVault/vaults/kv`]: { properties: { vaultUri: 'https://kv' } },
      [`${storage}/m0`]: { properties: { n: 0 } },
      [`${storage}/m1`]: { properties: { n: 1 } },
    });
    expect(await planned.evaluateBody(named(planned, 'z'), environment)).toMatchObject({
      properties: { uri: 'https://kv', second: 1, all: [0, 1], id: `${storage}/one` },
    });
  });

  it('refuse a list of resources in language version 2.0', async () => {
    expect(await failure(() => plan({ languageVersion: '2.0', resources: [] }))).toContain(
      "Expected 'resources' to be an object of symbolic names",
    );
  });
});

it('asks for as many resources as a loop may have turns', async () => {
  const ids = Array.from({ length: 800 }, (_, index) => `${storage}/there${index}`);
  const there = cloud(Object.fromEntries(ids.map((id, n) => [id, { properties: { n } }])));
  const input =
    "[add(reference(resourceId('Microsoft.Storage/storageAccounts', format('there{0}', copyIndex())), '2023-05-01').n, 1)]";
  const outputs = { o: { type: 'array', copy: { count: 800, input } } };
  expect(await plan({ outputs }).evaluateOutputs(there)).toMatchObject({
    o: { value: ids.map((_, index) => index + 1) },
  });
});
