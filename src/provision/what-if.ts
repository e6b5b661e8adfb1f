/**
 * Finds what a template would remove from existing resources, with Azure's own what-if. An incremental deployment
 * deletes no resource, but a PUT replaces one, and loses what the template does not declare (such as the identity of a
 * cluster, with its roles).
 */
import { z } from 'zod';
import type { Azure } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import { isDefect, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { Bundle } from '../run/bundle.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Topology, WorkspaceRef } from '../topology/topology.ts';

type Declared = Bundle['templates'][string];

interface Foretell {
  azure: Azure;
  topology: Topology;
  workspace: WorkspaceRef;
  declared: Declared;
  signal: AbortSignal;
}

/** `unknown`: why Azure did not answer, at all or within the policy `whatIfDeadline`. */
export const Foretold = z.union([
  z.strictObject({ takes: z.array(z.string()) }),
  z.strictObject({ unknown: z.string() }),
]);
export type Foretold = z.infer<typeof Foretold>;

/** The properties of a deployment, the same for a what-if and for the deployment itself. */
export function deploymentOf({ template, parameters }: Declared) {
  return {
    mode: 'Incremental' as const,
    template: template as Record<string, unknown>,
    parameters: parameters as Record<string, { value?: unknown }>,
  };
}

/** Runs the what-if. Changes nothing. Throws only if the caller cancels it. */
export async function foretell({ azure, topology, workspace, declared, signal }: Foretell): Promise<Foretold> {
  const { whatIfDeadline } = topology.policies;
  const { subscriptionId, resourceGroup } = workspace;
  const deadline = AbortSignal.timeout(toSeconds(whatIfDeadline) * 1000);
  const abortSignal = AbortSignal.any([signal, deadline]);
  const tried = `asking what ${declared.source} would change in resource group "${resourceGroup}"`;
  try {
    const { changes = [] } = await azure
      .deployments(subscriptionId)
      .deployments.whatIf(
        resourceGroup,
        'understudy-what-if',
        {
          properties: { ...deploymentOf(declared), whatIfSettings: { resultFormat: 'FullResourcePayloads' } },
        },
        { abortSignal, updateIntervalInMs: 1000 },
      )
      .pollUntilDone({ abortSignal });
    return { takes: changes.flatMap(takenBy) };
  } catch (error) {
    if (signal.aborted || isDefect(error)) throw error;
    if (deadline.aborted) return { unknown: `${tried}: not answered within ${whatIfDeadline}` };
    const known = azureError(tried, error);
    // Without a resource group there are no resources.
    if (isUnderstudyError(known) && known.details.azure?.status === 404) return { takes: [] };
    return { unknown: messageOf(known) };
  }
}

interface Change {
  resourceId?: string;
  changeType: string;
  delta?: PropertyChange[];
}

interface PropertyChange {
  path: string;
  propertyChangeType: string;
  before?: unknown;
  after?: unknown;
  children?: PropertyChange[];
}

/** One line for each thing that would be removed: `workspaces/fraud/computes/gpu: identity (SystemAssigned)`. */
function takenBy({ resourceId = '', changeType, delta = [] }: Change): string[] {
  if (changeType !== 'Modify' && changeType !== 'Deploy') return [];
  const name = resourceId.split(/\/providers\/[^/]+\//i).at(-1) ?? resourceId;
  return delta.flatMap((each) => lossesOf(each, '')).map((what) => `${name}: ${what}`);
}

function lossesOf({ path, propertyChangeType, before, after, children = [] }: PropertyChange, above: string): string[] {
  const place = above === '' ? path : `${above}.${path}`;
  if (propertyChangeType === 'Delete') return isNoise(place) || isOwn(place) ? [] : [`${place}${shown(place, before)}`];
  if (place === 'identity.type') return lessOf(before, after);
  return children.flatMap((child) => lossesOf(child, place));
}

/**
 * Azure does not ask every service, and reports deletions of settings that return to their defaults. An identity, a tag
 * or an element of a list does not return by itself.
 */
function isNoise(place: string): boolean {
  return place.startsWith('properties.') && !/\.\d+(\.|$)/.test(place);
}

/** A tag of our own: a fence writes it, and needs it no more once the template is deployed. */
function isOwn(place: string): boolean {
  return place.startsWith('tags.understudy-');
}

/** Returns what was removed: from `SystemAssigned, UserAssigned` to `UserAssigned`. */
function lessOf(before: unknown, after: unknown): string[] {
  const kinds = (type: unknown) =>
    typeof type === 'string' ? type.split(/,\s*/).filter((kind) => kind !== '' && kind !== 'None') : [];
  const gone = kinds(before).filter((kind) => !kinds(after).includes(kind));
  return gone.length > 0 ? [`identity (${gone.join(', ')})`] : [];
}

/** The kind of an identity is shown. Other values may be long, or secret. */
function shown(place: string, before: unknown): string {
  if (place !== 'identity' || before === null || typeof before !== 'object') return '';
  const { type } = before as { type?: unknown };
  return typeof type === 'string' ? ` (${type})` : '';
}
