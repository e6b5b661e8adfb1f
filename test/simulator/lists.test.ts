import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json } from '../../simulator/contract/index.ts';
import { makeWorkspace, startFixture, text, type Fixture } from './machinelearning/fixture.ts';

let azure: Fixture;
let versions: string;

beforeAll(async () => {
  azure = await startFixture();
  versions = `${await makeWorkspace(azure, 'eastus', 'listed')}/models/m/versions`;
}, 60_000);
afterAll(() => azure.close());

const put = (version: number, more: Record<string, Json> = {}) =>
  azure.put(`${versions}/${version}`, {
    properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/m', ...more },
  });
const names = async (query: string): Promise<string[]> =>
  (await azure.list(`${versions}?${query}`)).map(({ name }) => text(name ?? ''));

it('a list that is held for its pages is never older than the last change', async () => {
  for (let version = 1; version <= 12; version += 1) await put(version, { tags: { odd: String(version % 2) } });
  const first = await azure.arm('GET', `${versions}?$top=5`);
  expect((first.body.value as { name: string }[]).map(({ name }) => name)).toEqual(['12', '11', '10', '9', '8']);
  await put(13);
  await azure.arm('DELETE', `${versions}/6`);
  const second = await azure.arm('GET', text(first.body.nextLink));
  expect((second.body.value as { name: string }[]).map(({ name }) => name)).toEqual(['7', '5', '4', '3', '2']);
  expect(await names('$top=4')).toEqual(['13', '12', '11', '10', '9', '8', '7', '5', '4', '3', '2', '1']);
  await put(13, { isArchived: true });
  expect((await names('$top=50'))[0]).toBe('12');
});

it('each query has its own list', async () => {
  expect(await names('tags=odd=0')).toEqual(['12', '10', '8', '4', '2']);
  expect(await names('tags=odd=1&$top=2')).toEqual(['11', '9', '7', '5', '3', '1']);
  expect(await names('listViewType=ArchivedOnly')).toEqual(['13']);
  expect(await names('latestVersionOnly=true')).toHaveLength(1);
});
