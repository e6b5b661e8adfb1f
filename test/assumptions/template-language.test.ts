/** Beliefs about the template language: deployments that make nothing and only answer. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/azure/azure.ts';
import { openPlace, deadline, type Place } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
}, deadline);
afterAll(() => place?.close(), deadline);

/** What Azure answers for expressions, by deploying them as outputs. */
async function valuesOf(expressions: Record<string, string>, more: JsonObject = {}) {
  return place.deploy({
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    ...more,
    resources: more.resources ?? [],
    outputs: Object.fromEntries(
      Object.entries(expressions).map(([name, expression]) => [
        name,
        { type: 'object', value: { is: `[${expression}]` } },
      ]),
    ),
  });
}

/** Expression → value. */
const beliefs: Record<string, Json> = {
  "dateTimeAdd('2020-01-31T00:00:00Z', 'P1M')": '2020-03-01T00:00:00Z',
  "dateTimeAdd('2020-01-31T00:00:00Z', 'P1Y')": '2021-01-30T00:00:00Z',
  "less('a', 'B')": true,
  "less('a', 'A')": true,
  "less('A', 'b')": true,
  "CONCAT('a', ToUpper('b'))": 'aB',
  "guid('a', 'b')": '2d796349-8c7e-55ec-9624-54ece82ed031',
  "uniqueString('hello', 'world')": 'a7wkljktk6wne',
  "createObject('Name', 1).name": 1,
  "contains(createObject('Name', 1), 'name')": true,
};

it('evaluates as it does here', { timeout: deadline }, async () => {
  const names = Object.keys(beliefs);
  const answers = await valuesOf(Object.fromEntries(names.map((name, index) => [`o${index}`, name])));
  const found = names.map((name, index) => [name, (answers[`o${index}`] as { is: Json } | undefined)?.is]);
  expect(Object.fromEntries(found)).toEqual(beliefs);
});

it('does not evaluate the body of a resource whose condition is false', { timeout: deadline }, async () => {
  const answers = await valuesOf(
    { ok: "string('deployed')" },
    {
      resources: [
        {
          condition: '[equals(1, 2)]',
          type: 'Microsoft.Storage/storageAccounts',
          apiVersion: '2023-05-01',
          name: place.name('never'),
          location: place.location,
          kind: 'StorageV2',
          sku: { name: 'Standard_LRS' },
          properties: { customDomain: { name: "[json('{}').nothing]" } },
        },
      ],
    },
  );
  expect(answers.ok).toEqual({ is: 'deployed' });
});
