/** The deployments of a scope: which of them a list shows, how many are kept, and who holds a name. */

import { parameter } from '../http/paging.ts';
import { parseResourceId } from '../resource/ids.ts';
import { textOf } from '../resource/fields.ts';
import { ArmError, type Call, type Stored } from '../contract/index.ts';
import { DEPLOYMENT } from '../resource/table.ts';

/**
 * Azure begins to delete the oldest deployments of a scope beyond the one number, and goes on until the other is left.
 */
const MOST = 775;
const LEFT = 750;

/** For so long a deployment holds its name while it runs. */
const ACTIVE_MS = 7 * 24 * 3_600_000;

const BY_STATE = /^\s*provisioningState\s+eq\s+'(\w+)'\s*$/i;

/**
 * A subscription's deployments are those made at the subscription; each of its groups has its own. `$filter` knows
 * their state.
 *
 * Errors: ArmError 400 `InvalidFilterInQueryString` for any other filter.
 */
export function deploymentsListed({ id, query }: Call, entries: Stored[]): Stored[] {
  const own = entries.filter(({ resource }) => parseResourceId(resource.id)?.scope.toLowerCase() === id.key);
  const filter = parameter(query, '$filter');
  if (filter === undefined || filter === '') return own;
  const wanted = BY_STATE.exec(filter)?.[1]?.toLowerCase();
  if (wanted === undefined)
    throw new ArmError(
      400,
      'InvalidFilterInQueryString',
      `Invalid $filter '${filter}' specified in the query string: expected provisioningState eq '{state}'.`,
    );
  return own.filter(({ resource }) => textOf(resource.properties.provisioningState).toLowerCase() === wanted);
}

/** Makes place for one more: what was deployed stays, only its history goes. */
export function keepHistoryShort({ cloud, id, existing }: Call): void {
  const history = cloud.store.children(id.scope, DEPLOYMENT);
  if (existing || history.length < MOST) return;
  const ended = history
    .filter(({ resource }) => !/^(Accepted|Running)$/.test(textOf(resource.properties.provisioningState)))
    .sort((a, b) => a.changedAt - b.changedAt);
  for (const { resource } of ended.slice(0, history.length - LEFT)) cloud.store.remove(resource.id);
}

/** Azure takes no second deployment of a name while the first is under way, the same one again included. */
export function busy({ resource, createdAt, changedAt }: Stored): ArmError {
  const date = (time: number): string =>
    new Date(time).toLocaleString('en-US', { timeZone: 'UTC' }).replace(',', '').replaceAll('\u202F', ' ');
  if (resource.properties.provisioningState === 'Deleting')
    return new ArmError(
      409,
      'DeploymentBeingDeleted',
      `Unable to edit or replace deployment '${resource.name}': it is being deleted.`,
    );
  const began = Math.max(createdAt, changedAt);
  return new ArmError(
    409,
    'DeploymentActive',
    `Unable to edit or replace deployment '${resource.name}': previous deployment from '${date(began)}' is still active (expiration time is '${date(began + ACTIVE_MS)}'). Please see https://aka.ms/arm-deploy for usage details.`,
  );
}
