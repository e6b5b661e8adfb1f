/** File shares as management sees them, kept in step with those that the data plane has. */

import { ArmError, type Call, type Cloud, type JsonObject, type Stored } from '../contract/index.ts';
import { isQuota, isShareName } from '../storage-protocol/file-names.ts';
import { ACCOUNT, findAccount } from './places.ts';
import { row } from '../resource/table.ts';

export const FILE_SERVICE = `${ACCOUNT}/fileServices`;
const SHARE = `${FILE_SERVICE}/shares`;
const TIERS = ['TransactionOptimized', 'Hot', 'Cool', 'Premium'];

export const shares = row(SHARE, {
  beforePut(call, next) {
    if (!isShareName(call.id.name))
      throw invalid(
        `The share name '${call.id.name}' is invalid: expected 3 to 63 lower-case letters, digits and single dashes.`,
      );
    const { shareQuota, accessTier, enabledProtocols = 'SMB' } = next.resource.properties;
    if (enabledProtocols !== 'SMB')
      throw invalid(`enabledProtocols: expected SMB, the only one offered, got ${JSON.stringify(enabledProtocols)}.`);
    if (shareQuota !== undefined && !isQuota(shareQuota))
      throw invalid(`shareQuota: expected 1 to 102400 GiB, got ${JSON.stringify(shareQuota)}.`);
    if (accessTier !== undefined && !TIERS.some((tier) => tier === accessTier))
      throw invalid(`accessTier: expected ${TIERS.join(', ')}, got ${JSON.stringify(accessTier)}.`);
  },
  spreads({ cloud, id }, stored) {
    const { shareQuota, accessTier, metadata } = stored.resource.properties;
    cloud.files.putShare(id.names[0] ?? '', id.name, {
      ...(isQuota(shareQuota) ? { quotaGiB: shareQuota } : {}),
      ...(typeof accessTier === 'string' ? { accessTier } : {}),
      ...(typeof metadata === 'object' && metadata !== null ? { metadata: metadata as Record<string, string> } : {}),
    });
  },
  beforeDelete(call: Call) {
    const [account = ''] = call.id.names;
    const hasSnapshots = cloudShares(call.cloud, account).some(
      ({ name, snapshot }) => name === call.id.name && snapshot !== undefined,
    );
    const isAsked = /snapshots/i.test(call.headers['x-ms-delete-snapshots'] ?? call.query.get('$include') ?? '');
    if (hasSnapshots && !isAsked && call.headers['x-ms-delete-snapshots'] !== 'include')
      throw new ArmError(409, 'ShareHasSnapshots', 'This operation is not permitted because the share has snapshots.');
  },
  afterDelete({ cloud }, stored) {
    const [account = '', share = ''] = namesOf(stored);
    cloud.files.removeShare(account, share);
  },
  show(cloud, stored) {
    const [account = '', name = ''] = namesOf(stored);
    const share = cloudShares(cloud, account).find((one) => one.name === name && one.snapshot === undefined);
    if (!share) return stored.resource;
    const properties: JsonObject = {
      ...stored.resource.properties,
      shareQuota: share.quotaGiB,
      accessTier: share.accessTier,
      metadata: share.metadata,
      enabledProtocols: 'SMB',
      leaseStatus: 'Unlocked',
      leaseState: 'Available',
      lastModifiedTime: new Date(share.changedAt).toISOString(),
    };
    return { ...stored.resource, properties };
  },
});

function cloudShares(cloud: Cloud, account: string): ReturnType<Cloud['files']['shares']> {
  return cloud.files.shares(account);
}

/** Account and share, out of the id. */
function namesOf({ resource }: Stored): string[] {
  const segments = resource.id.split('/');
  return [segments.at(-5) ?? '', resource.name];
}

/** Notes in the management plane what a data-plane request did to a share. */
export function mirrorShare(cloud: Cloud, account: string, share: string, exists: boolean): void {
  const stored = findAccount(cloud, account);
  if (!stored) return;
  const id = `${stored.resource.id}/fileServices/default/shares/${share}`;
  if (!exists) cloud.store.remove(id);
  else if (!cloud.store.get(id)) {
    const now = cloud.clock.now();
    cloud.store.put({
      resource: { id, name: share, type: SHARE, properties: {} },
      hidden: {},
      etag: `"${now.toString(16)}"`,
      region: stored.region,
      createdAt: now,
      changedAt: now,
    });
  }
}

function invalid(message: string): ArmError {
  return new ArmError(400, 'InvalidValuesForRequestParameters', message);
}
