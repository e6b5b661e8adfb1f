/**
 * The scene of these tests: two workspaces of a stranger's making on a local Azure, a third one beside them, and a
 * control store elsewhere.
 */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import type { Azure, BlobAccount } from '../../../src/azure/azure.ts';
import { openControlStore } from '../../../src/control-store/connect.ts';
import type { Session } from '../../../src/operations/session.ts';
import { azureFrom } from '../../../src/operations/session.ts';
import { Topology, type TopologyInput } from '../../../src/topology/topology.ts';
import { cloudEnvironment } from '../../../src/stack/state.ts';
import { makeWorkspace, startFixture, text, type Fixture } from '../../simulator/machinelearning/fixture.ts';

/** One workspace, as the test itself found it. */
export interface Place {
  region: string;
  /** ARM id of the workspace. */
  id: string;
  name: string;
  group: string;
  guid: string;
  /** Its own storage account. */
  accountId: string;
  account: BlobAccount;
  /** Container behind `workspaceblobstore`, and behind `workspaceartifactstore`. */
  container: string;
  artifacts: string;
  vaultUri: string;
}

export interface World {
  fixture: Fixture;
  azure: Azure;
  session: Session;
  subscriptionId: string;
  east: Place;
  west: Place;
  /** A workspace of the same region that has nothing to do with ours. */
  other: Place;
  /** `third`: an account of the active region; `partner`: one of a region that stays up. */
  third: { id: string; account: BlobAccount };
  partner: { id: string; account: BlobAccount };
  put: (path: string, body: JsonObject) => Promise<JsonObject>;
  outage(region: string, mode: 'dark' | 'none'): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(topology: Partial<TopologyInput> = {}): Promise<World> {
  const ordinary = getCACertificates('default');
  const fixture = await startFixture({ regions: ['eastus', 'westus3', 'centralus'] });
  const { address } = fixture.running;
  setDefaultCACertificates([...ordinary, readFileSync(address.ca, 'utf8')]);
  const azure = azureFrom(cloudEnvironment(address));
  const place = async (region: string, name: string) =>
    lookAt(fixture, azure, region, await makeWorkspace(fixture, region, name));
  const east = await place('eastus', 'Fraud-East');
  const west = await place('westus3', 'fraud-west');
  const other = await place('eastus', 'fraud-east-2');
  const suffix = address.subscriptionId.slice(0, 6);
  const third = await makeAccount(fixture, azure, 'eastus', `third${suffix}`);
  const partner = await makeAccount(fixture, azure, 'centralus', `partner${suffix}`);
  const control = await makeAccount(fixture, azure, 'centralus', `control${suffix}`);
  const workspace = ({ group, name }: Place) => ({
    workspace: {
      subscriptionId: address.subscriptionId,
      resourceGroup: group.split('/').at(-1) ?? '',
      name,
    },
  });
  const parsed = Topology.parse({
    name: 'foreign',
    regions: { eastus: workspace(east), westus3: workspace(west) },
    controlStore: {
      subscriptionId: address.subscriptionId,
      resourceGroup: 'ml-centralus',
      storageAccount: control.account.name,
    },
    escrow: { vaults: { eastus: east.vaultUri, westus3: west.vaultUri } },
    policies: { leaseTtl: '1s', clockSkew: '1s', fenceDeadline: '1s', probeDeadline: '20s' },
    ...topology,
  } satisfies TopologyInput);
  const store = await openControlStore(azure, parsed.controlStore);
  return {
    fixture,
    azure,
    session: {
      topology: parsed,
      file: 'understudy.yaml',
      text: '',
      warnings: [],
      bundle: () => Promise.resolve({ topology: parsed, templates: {} }),
      azure,
      store,
    },
    subscriptionId: address.subscriptionId,
    east,
    west,
    other,
    third,
    partner,
    put: (path, body) => fixture.put(path, body),
    outage: (region, mode) => fixture.running.faults.setOutage(region, { mode }),
    async close() {
      setDefaultCACertificates(ordinary);
      await fixture.close();
    },
  };
}

async function lookAt(fixture: Fixture, azure: Azure, region: string, id: string): Promise<Place> {
  const { properties } = (await fixture.arm('GET', id)).body as { properties: JsonObject };
  const containerOf = async (datastore: string) => {
    const { body } = await fixture.arm('GET', `${id}/datastores/${datastore}`);
    return text((body.properties as JsonObject).containerName);
  };
  const vault = await fixture.arm('GET', `${text(properties.keyVault)}?api-version=2023-07-01`);
  const accountId = text(properties.storageAccount);
  return {
    region,
    id,
    name: id.split('/').at(-1) ?? '',
    group: id.split('/providers/')[0] ?? '',
    guid: text(properties.workspaceId),
    accountId,
    account: await azure.blobAccount(accountId),
    container: await containerOf('workspaceblobstore'),
    artifacts: await containerOf('workspaceartifactstore'),
    vaultUri: text((vault.body.properties as JsonObject).vaultUri),
  };
}

async function makeAccount(
  fixture: Fixture,
  azure: Azure,
  region: string,
  name: string,
): Promise<{ id: string; account: BlobAccount }> {
  const group = fixture.group(region);
  await fixture.put(`${group}?api-version=2021-04-01`, { location: region });
  const id = `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
  const body = { location: region, kind: 'StorageV2', sku: { name: 'Standard_LRS' }, properties: {} };
  await fixture.put(`${id}?api-version=2023-01-01`, body);
  return { id, account: await azure.blobAccount(id) };
}
