/** A draft of the cloud: what PUTs would leave, for what-if; see `Cloud.draft`. */

import { DraftStore } from './draft-store.ts';
import type { Engine } from '../arm/engine.ts';
import { parseResourceId } from '../resource/ids.ts';
import { draftWrite } from '../arm/put.ts';
import { CLOUD_ITSELF } from '../authorization/access.ts';
import {
  ArmError,
  type BlobAccounts,
  type Cloud,
  type FileShares,
  type GeoReplication,
  type Stored,
} from '../contract/index.ts';

/** Over `cloud`, whose requests `engine` serves. Its clock sets nothing going, and its storage keeps nothing. */
export function draftOf(cloud: Cloud, engine: Engine): Cloud {
  const store = new DraftStore(cloud.store);
  const draft = Object.create(cloud, {
    store: { value: store },
    clock: { value: { now: () => cloud.clock.now(), after: () => ({ cancel: nothing }) } },
    blobs: { value: blobsOf(cloud.blobs) },
    files: { value: filesOf(cloud.files) },
    geo: { value: geoOf(cloud.geo) },
    // Drawing a number would make the cloud's own next one another.
    random: { value: () => 0 },
    // Who only lives in the draft is told nothing, and asked nothing.
    onOutage: { value: nothing },
    onDataPlane: { value: nothing },
    deleteResource: { value: (id: string) => Promise.resolve(void store.remove(id)) },
  }) as Cloud;
  const drafting = Object.create(engine, { cloud: { value: draft } }) as Engine;
  const createResource: Cloud['createResource'] = (id, body, apiVersion): Promise<Stored> => {
    const parsed = parseResourceId(id);
    if (!parsed) throw new ArmError(400, 'InvalidResourceId', `'${id}' is not the id of a resource.`);
    const principal = { objectId: CLOUD_ITSELF, clientId: CLOUD_ITSELF, tenantId: cloud.tenantId };
    const query = new URLSearchParams();
    const request = {
      method: 'PUT',
      path: id,
      query,
      headers: {},
      body,
      apiVersion,
      principal,
      within: true as const,
    };
    return draftWrite(drafting, drafting.requireRow(parsed.type), parsed, request);
  };
  return Object.defineProperties(draft, {
    engine: { value: drafting },
    createResource: { value: createResource },
  });
}

function nothing(): void {
  // What a draft asks for happens nowhere.
}

function later(): Promise<void> {
  return Promise.resolve();
}

/** Reads what there is. */
function blobsOf(blobs: BlobAccounts): BlobAccounts {
  return {
    open() {
      throw new Error('a draft of the cloud opens no blobs');
    },
    setKeys: later,
    remove: later,
    containerSas: (...asked) => blobs.containerSas(...asked),
    createContainer: later,
    removeContainer: () => Promise.resolve(true),
    keys: (account) => blobs.keys(account),
    putBlob: later,
    getBlob: (...asked) => blobs.getBlob(...asked),
    listContainers: (account) => blobs.listContainers(account),
    listBlobs: (...asked) => blobs.listBlobs(...asked),
  };
}

/** Reads what there is, with what was asked of it in the draft. */
function geoOf(geo: GeoReplication): GeoReplication {
  return {
    follow: later,
    lastSyncTime: (account) => geo.lastSyncTime(account),
    failOver: (account) => geo.lastSyncTime(account),
    forget: later,
  };
}

function filesOf(files: FileShares): FileShares {
  const changed = new Map<string, Parameters<FileShares['putShare']>[2]>();
  const keyOf = (account: string, name: string): string => `${account}/${name}`;
  return {
    shares: (account) =>
      files.shares(account).map((share) => ({ ...share, ...changed.get(keyOf(account, share.name)) })),
    putShare(account, name, fields) {
      changed.set(keyOf(account, name), { ...changed.get(keyOf(account, name)), ...fields });
    },
    removeShare: nothing,
    removeAccount: nothing,
  };
}
