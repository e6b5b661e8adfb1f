/**
 * The examples that Azure's API descriptions are published with, put into the active workspace: each as it is, but for
 * placeholders that nothing could be called by. A body that the local Azure refuses all the same is answered with its
 * reason.
 */
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { loadOperations, type Operation } from '../../simulator/machinelearning/api-description.ts';
import type { World } from './world.ts';

const kinds =
  'computes|datastores|connections|codes|environments|models|data|components|jobs|schedules|onlineEndpoints|batchEndpoints';
const inWorkspace = new RegExp(
  `/workspaces/\\{workspaceName\\}/(?:${kinds})/\\{\\w+\\}(?:/(?:versions|deployments)/\\{\\w+\\})?$`,
);

export interface PutExample {
  path: string;
  refused?: string;
}

export async function writeExamples(world: World, folder: string): Promise<PutExample[]> {
  const { east, fixture } = world;
  await whatTheyReferTo(world);
  const makers = loadOperations(folder)
    .filter(({ method, path }) => method === 'PUT' && inWorkspace.test(path))
    .toSorted((a, b) => rank(a) - rank(b));
  const written: PutExample[] = [];
  for (const maker of makers) {
    for (const [index, { parameters }] of maker.examples.entries()) {
      const path = pathOf(maker, parameters, index);
      const name = maker.bodyName ?? '';
      const body = real(parameters[name] ?? {}, world) as JsonObject;
      const answer = await fixture.arm('PUT', `${east.id}${path}`, body);
      if (answer.status >= 400) written.push({ path, refused: JSON.stringify(answer.body) });
      else {
        await fixture.settle(answer);
        written.push({ path });
      }
    }
  }
  return written;
}

/** Endpoints before deployments, everything else before jobs and schedules. */
function rank({ path }: Operation): number {
  const order = ['/computes/', '/datastores/', '/jobs/', '/schedules/'];
  const at = order.findIndex((part) => path.includes(part));
  return (at < 0 ? 1 : at === 2 ? 3 : at === 3 ? 4 : 0) * 1000 + path.length;
}

/** Each example has a name of its own; a version or a deployment stands below the first one of its parents. */
function pathOf({ path }: Operation, parameters: JsonObject, index: number): string {
  const names = path.split('/workspaces/{workspaceName}')[1] ?? '';
  const holes = [...names.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return names.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const own = parameters[name];
    const spelt = (typeof own === 'string' ? own : 'x').replaceAll(/[^\w-]/g, '');
    const isLeaf = name === holes.at(-1);
    return isLeaf && index > 0 ? `${spelt}${index}` : spelt.padEnd(3, 'x');
  });
}

function real(value: Json, world: World): Json {
  if (Array.isArray(value)) return value.map((each) => real(each, world));
  if (typeof value === 'string')
    return value.replaceAll(/\/subscriptions\/[0-9a-f-]{36}/g, `/subscriptions/${world.subscriptionId}`);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]): [string, Json] => {
      const replaced = placeholders(world)[key];
      return [key, replaced === undefined ? real(each, world) : replaced];
    }),
  );
}

/** By the name of the field: what stands for a text that names nothing. */
function placeholders({ east }: World): Record<string, Json | undefined> {
  const identity = `${east.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/testuai`;
  return {
    userAssignedIdentities: { [identity]: {} },
    instanceType: 'Standard_DS3_v2',
    expression: '0 2 * * *',
    timeZone: 'UTC',
    startTime: null,
    endTime: null,
    subnet: null,
    traffic: {},
    deploymentName: null,
    location: 'eastus',
    compute: null,
  };
}

/** A cluster of pods to attach, and computes and assets by the name of "string". */
async function whatTheyReferTo({ east, put, subscriptionId }: World): Promise<void> {
  const elsewhere = `/subscriptions/${subscriptionId}/resourceGroups/testrg123`;
  await put(`${elsewhere}?api-version=2021-04-01`, { location: 'eastus' });
  const pods = 'Microsoft.ContainerService/managedClusters/compute123-56826-c9b00420020b2';
  await put(`${elsewhere}/providers/${pods}?api-version=2024-05-01`, { location: 'eastus' });
  const identity = `${east.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/testuai`;
  await put(`${identity}?api-version=2023-01-31`, { location: 'eastus' });
  const cluster = { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 1 } };
  await put(`${east.id}/computes/string`, {
    location: 'eastus',
    properties: { computeType: 'AmlCompute', properties: cluster },
  });
  const assets: [string, JsonObject][] = [
    ['codes/string/versions/string', { codeUri: 'https://blobStorage/folderName' }],
    ['models/string/versions/1', { modelUri: 'https://blobStorage/folderName' }],
    ['environments/string/versions/1', { image: 'docker.io/tensorflow/serving:latest' }],
  ];
  for (const [path, properties] of assets) await put(`${east.id}/${path}`, { properties });
}
