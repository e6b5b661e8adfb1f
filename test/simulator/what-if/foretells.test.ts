/** What-if tells exactly what deploying then does: no change where a GET shows none, and each change as it comes. */

import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { TestCloud } from '../running-cloud.ts';
import { changed, numbers } from './changes.ts';
import { kinds } from './templates.ts';

const VERSION = 'api-version=2022-09-01';
/** What services set anew with each PUT. */
const RESTLESS = new Set(
  'etag systemData updatedOn updatedBy modifiedDate modifiedOn allocationStateTransitionTime lastModifiedTime created updated secretUriWithVersion'.split(
    ' ',
  ),
);
/** Of a kind, each with one change. */
const CASES = 12;

interface Change {
  resourceId: string;
  changeType: string;
  after?: JsonObject;
  delta?: Json[];
}

let cloud: TestCloud;

beforeAll(async () => {
  cloud = await TestCloud.start({ pace: 0.001 });
});

afterAll(() => cloud.stop());

interface Template {
  template: JsonObject;
  parameters?: JsonObject;
}

function of(resources: JsonObject[]): Template {
  const $schema = 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#';
  return { template: { $schema, contentVersion: '1.0.0.0', resources } };
}

function bodyOf(what: Template): JsonObject {
  return { properties: { mode: 'Incremental', template: what.template, parameters: what.parameters ?? {} } };
}

/** Deploys; undefined where that is refused or fails. */
async function deploy(group: string, what: Template): Promise<string[] | undefined> {
  const at = `${group}/providers/Microsoft.Resources/deployments/d?${VERSION}`;
  const answer = await cloud.arm(at, { method: 'PUT', body: bodyOf(what) });
  if (answer.status >= 400 || (await cloud.ended(answer))?.status !== 'Succeeded') return undefined;
  const { outputResources } = (await cloud.arm(at)).json.properties as { outputResources: { id: string }[] };
  return outputResources.map(({ id }) => id);
}

async function predict(group: string, what: Template): Promise<Change[]> {
  const at = `${group}/providers/Microsoft.Resources/deployments/d/whatIf?${VERSION}`;
  const asked = await cloud.arm(at, { method: 'POST', body: bodyOf(what) });
  await cloud.ended(asked);
  const { json } = await cloud.arm(asked.headers.location ?? '');
  return (json.properties as unknown as { changes: Change[] }).changes;
}

async function shown(ids: string[]): Promise<Map<string, Json>> {
  const entries = ids.map(async (id): Promise<[string, Json]> => {
    const { json } = await cloud.arm(`${id}?${VERSION}`);
    return [id.toLowerCase(), settled(json)];
  });
  return new Map(await Promise.all(entries));
}

function settled(value: Json): Json {
  if (Array.isArray(value)) return value.map(settled);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !RESTLESS.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, settled(item)]));
}

describe.each(Object.entries(kinds))('a template of %s', (kind, make) => {
  it('that was just deployed would change nothing', async () => {
    const group = await cloud.group(`same-${kind}`, 'eastus');
    expect(await deploy(group, of(make(`same${kind.slice(0, 3)}`)))).toBeDefined();
    const changes = await predict(group, of(make(`same${kind.slice(0, 3)}`)));
    expect(changes.filter(({ changeType }) => changeType !== 'NoChange')).toEqual([]);
  });

  it('whatever is changed in it, comes as foretold', async () => {
    const random = numbers(7);
    let compared = 0;
    for (let number = 0; number < CASES; number += 1) {
      const group = await cloud.group(`${kind}${number}`, 'eastus');
      const first = make(`${kind.slice(0, 3)}${number}`);
      const ids = (await deploy(group, of(first))) ?? [];
      const { resources, what } = changed(first, random);
      const before = await shown(ids);
      const foretold = await predict(group, of(resources));
      // What is refused changes nothing that could be foretold.
      if ((await deploy(group, of(resources))) === undefined) continue;
      compared += 1;
      const after = await shown(ids);
      for (const { resourceId, changeType, after: expected, delta } of foretold) {
        const id = resourceId.toLowerCase();
        const isSame = isDeepStrictEqual(before.get(id), after.get(id));
        const said = `${what}: ${id} ${JSON.stringify(delta)}`;
        expect(changeType, said).toBe(isSame ? 'NoChange' : 'Modify');
        const { apiVersion: _, ...left } = expected ?? {};
        expect(after.get(id), said).toMatchObject(settled(left) as JsonObject);
      }
    }
    expect(compared).toBeGreaterThan(CASES / 2);
  }, 60_000);
});

it('foretelling leaves no trace', async () => {
  const group = await cloud.group('traceless', 'eastus');
  const all = of([...kinds.storage('trace'), ...kinds.web('trace')]);
  const changes = await predict(group, all);
  expect(new Set(changes.map(({ changeType }) => changeType))).toEqual(new Set(['Create']));
  for (const { resourceId } of changes)
    expect((await cloud.arm(`${resourceId}?${VERSION}`)).status, resourceId).toBe(404);
  const other = await cloud.group('traceful', 'eastus');
  expect(await deploy(other, all)).toBeDefined();
});

const principal = '11111111-1111-1111-1111-111111111111';
const origins = ['east', 'west'].map((name) => ({
  name,
  hostName: `${name}.example.com`,
  weight: 50,
  priority: 1,
  enabled: 'Enabled',
}));
const own: [string, JsonObject][] = [
  ['control-store', { storageAccountName: 'wifcontrol', writerPrincipalIds: [principal] }],
  ['front-door', { profileName: 'wiffront', endpointName: 'wifend', origins }],
  [
    'workspace',
    {
      workspaceName: 'wifspace',
      storageAccountName: 'wifstore',
      keyVaultName: 'wifvault',
      applicationInsightsName: 'wifinsights',
      logAnalyticsName: 'wiflogs',
      containerRegistryName: 'wifregistry',
      principalId: principal,
    },
  ],
];

it.each(own)('the template %s, just deployed, would change nothing', async (name, values) => {
  const file = new URL(`../../../templates/${name}.json`, import.meta.url);
  const template = JSON.parse(await readFile(file, 'utf8')) as JsonObject;
  const given = (more: JsonObject): Template => ({
    template,
    parameters: Object.fromEntries(Object.entries({ ...values, ...more }).map(([key, value]) => [key, { value }])),
  });
  const group = await cloud.group(`own-${name}`, 'eastus');
  expect(await deploy(group, given({ tags: { team: 'ml' } }))).toBeDefined();
  const changes = await predict(group, given({ tags: { team: 'ml' } }));
  expect(changes.length).toBeGreaterThan(2);
  expect(changes.filter(({ changeType }) => changeType !== 'NoChange')).toEqual([]);
  const without = await predict(group, given({ tags: {} }));
  const deltas = without.filter(({ changeType }) => changeType === 'Modify').map(({ delta }) => delta);
  expect(deltas.length).toBeGreaterThan(0);
  for (const delta of deltas)
    expect(delta).toEqual([{ path: 'tags.team', propertyChangeType: 'Delete', before: 'ml' }]);
});
