/** A failover away from a region that answers: its old side is really shut out, and nothing is owed. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { Scene } from './harness.ts';
import { judgeMoved, readEast } from './judge.ts';
import type { Workspace } from './workspaces.ts';

const rolesVersion = '2022-04-01';
/** Storage Blob Data Contributor. */
const blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe';

describe('a failover with --even-if-healthy', () => {
  let scene: Scene;
  let before: Workspace;
  let east: Workspace;
  let oldKeys: string[];
  let ofWorkspace: string;
  let ofSomebodyElse: string;

  const roles = () => scene.azure.list(rolesPath(), rolesVersion);
  const rolesPath = () => `${before.storageId}/providers/Microsoft.Authorization/roleAssignments`;

  /** Lets somebody write blobs there; answers the assignment's name. */
  async function assign(principalId: string): Promise<string> {
    const name = randomUUID();
    const roleDefinitionId = `/subscriptions/${scene.cloud.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${blobContributor}`;
    const properties = { roleDefinitionId, principalId, principalType: 'ServicePrincipal' };
    await scene.azure.put(`${rolesPath()}/${name}`, { properties }, rolesVersion);
    return name;
  }

  beforeAll(async () => {
    scene = await Scene.open();
    before = await readEast(scene.azure);
    oldKeys = await scene.azure.keysOf(before.storageId);
    const { identity } = await scene.azure.get(before.id);
    ofWorkspace = await assign((identity as { principalId: string }).principalId);
    ofSomebodyElse = await assign(randomUUID());
    const { code, output } = await scene.run([
      'failover',
      '--to',
      'westus3',
      '--yes',
      '--even-if-healthy',
      '--reason',
      'maintenance',
    ]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/outage began +planned: counted from the trigger/);
    east = await readEast(scene.azure);
  });
  afterAll(() => scene?.close());

  it('moves everything', async () => {
    // The old workspace's files are read with its new key: with the old one nobody reads them.
    await judgeMoved(scene, { ...before, blobs: east.blobs });
  });

  it('leaves no job and no schedule running on the old side', () => {
    const unfinished = [...before.jobs.values()].filter(({ properties }) =>
      ['Queued', 'Running'].includes(String(properties.status)),
    );
    expect(unfinished).toHaveLength(7);
    for (const { name } of unfinished) expect(east.jobs.get(name)?.properties.status, name).toBe('Canceled');
    expect([...east.schedules.values()].map(({ properties }) => properties.isEnabled)).toEqual([false]);
  });

  it('refuses what the old side wrote with: its keys, and the roles of its workspace', async () => {
    for (const key of oldKeys) {
      const service = new BlobServiceClient(
        before.blobs.url,
        new StorageSharedKeyCredential(before.blobs.accountName, key),
      );
      await expect(service.getProperties()).rejects.toMatchObject({ statusCode: 403 });
    }
    const left = (await roles()).map(({ name }) => name);
    expect(left).not.toContain(ofWorkspace);
    expect(left).toContain(ofSomebodyElse);
  });

  it('owes nothing', async () => {
    const { code, output } = await scene.run(['status']);
    // Nothing could be restored if westus3 were lost now: there is no recovery point of it yet.
    expect(code, output).toBe(5);
    expect(output).toContain('no recovery point of westus3');
    expect(output).not.toContain('OWED');
  });
});
