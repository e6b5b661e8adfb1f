/**
 * The local Azure as a program of its own, with a workspace in each of two regions, and the product's connection to it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { CloudAddress } from '../simulator/cloud.ts';
import { apiVersions, type Azure, type BlobAccount } from '../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../src/azure/cloud.ts';
import { connectAzure } from '../src/azure/connect.ts';
import { textField } from './azure-fields.ts';
import { workspaceId } from '../src/topology/sides.ts';
import { Topology, type TopologyInput, type WorkspaceRef } from '../src/topology/topology.ts';
import { cloudEnvironment } from '../src/stack/state.ts';

const program = join(dirname(import.meta.dirname), 'simulator', 'main.ts');

export interface LocalAzure {
  address: CloudAddress;
  pid: number;
  close(): Promise<void>;
}

export async function startLocalAzure(): Promise<LocalAzure> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-'));
  const args = [
    program,
    '--state',
    folder,
    '--pace',
    '0.02',
    '--regions',
    'eastus,westus3',
    '--token-seconds',
    '3600',
    // What is measured is the local Azure, not Azure's limits.
    '--throttling',
    'off',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const close = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const address = JSON.parse(await firstLine(child)) as CloudAddress;
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(address.ca, 'utf8')]);
    return { address, pid: address.pid, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (!child.stdout) throw new Error('the local Azure has no output');
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the local Azure ended with ${code} before it was ready`)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

export interface Workspaces {
  azure: Azure;
  topology: Topology;
  /** ARM ids. */
  east: string;
  west: string;
  eastAccount: BlobAccount;
  westAccount: BlobAccount;
  /** The container behind `workspaceblobstore` of the active side. */
  container: string;
}

/** `more` is added to the topology. */
export async function makeWorkspaces(address: CloudAddress, more: Partial<TopologyInput> = {}): Promise<Workspaces> {
  const environment = cloudEnvironment(address);
  const azure = connectAzure({
    credential: credentialFrom(environment),
    cloud: cloudFrom(environment),
    requestTimeoutMs: 60_000,
  });
  const { subscriptionId } = address;
  const workspace = (group: string, name: string) => ({
    workspace: { subscriptionId, resourceGroup: group, name },
  });
  const topology = Topology.parse({
    name: 'bench',
    regions: { eastus: workspace('ml-east', 'bench-east'), westus3: workspace('ml-west', 'bench-west') },
    controlStore: { subscriptionId, resourceGroup: 'ml-west', storageAccount: 'benchcontrol' },
    ...more,
  } satisfies TopologyInput);
  const [east = '', west = ''] = await Promise.all(
    Object.entries(topology.regions).map(([region, side]) =>
      makeWorkspace(azure, region, side.workspace, address.tenantId),
    ),
  );
  const [eastAccount, westAccount] = await Promise.all([accountOf(azure, east), accountOf(azure, west)]);
  const datastore = await azure.arm.get(`${east}/datastores/workspaceblobstore`, apiVersions.machineLearning);
  return {
    azure,
    topology,
    east,
    west,
    eastAccount,
    westAccount,
    container: textField(datastore, 'containerName'),
  };
}

async function makeWorkspace(azure: Azure, region: string, workspace: WorkspaceRef, tenantId: string): Promise<string> {
  const { subscriptionId, resourceGroup, name } = workspace;
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const key = name.replaceAll('-', '');
  await azure.arm.put(group, apiVersions.resourceGroups, { location: region });
  const storageAccount = `${group}/providers/Microsoft.Storage/storageAccounts/${key}`;
  const keyVault = `${group}/providers/Microsoft.KeyVault/vaults/${key}`;
  const applicationInsights = `${group}/providers/Microsoft.Insights/components/${key}`;
  await azure.arm.put(storageAccount, apiVersions.storage, {
    location: region,
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: {},
  });
  await azure.arm.put(keyVault, apiVersions.keyVault, {
    location: region,
    properties: { tenantId, sku: { family: 'A', name: 'standard' }, accessPolicies: [] },
  });
  await azure.arm.put(applicationInsights, '2020-02-02', {
    location: region,
    kind: 'web',
    properties: { Application_Type: 'web' },
  });
  const id = workspaceId(workspace);
  await azure.arm.put(id, apiVersions.machineLearning, {
    location: region,
    properties: { storageAccount, keyVault, applicationInsights },
  });
  return id;
}

async function accountOf(azure: Azure, workspace: string): Promise<BlobAccount> {
  const resource = await azure.arm.get(workspace, apiVersions.machineLearning);
  return azure.blobAccount(textField(resource, 'storageAccount'));
}
