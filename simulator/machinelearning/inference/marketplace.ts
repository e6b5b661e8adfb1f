/**
 * Marketplace subscriptions: the consent to the terms of a model of the catalogue, which its serverless endpoint then
 * shows.
 */

import type { Cloud, ResourceType } from '../../contract/index.ts';
import { textOf, WORKSPACES } from '../bodies/fields.ts';
import { requireName, validationError } from '../bodies/refusals.ts';

const SUBSCRIPTIONS = `${WORKSPACES}/marketplaceSubscriptions`;

/** `azureml://registries/{registry}/models/{model}`, with or without a version. */
const MODEL = /^azureml:\/\/registries\/([^/]+)\/models\/([^/]+?)(?:\/versions\/[^/]+)?$/i;

export const marketplaceSubscriptions: ResourceType = {
  type: SUBSCRIPTIONS,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 2000, delete: 1000 },
  immutable: ['properties.modelId'],
  beforePut(call, next) {
    if (!call.existing)
      requireName(
        'marketplace subscription',
        call.id.name,
        /^[a-zA-Z0-9][\w-]{0,254}$/,
        '1 to 255 letters, digits, hyphens and underscores, the first a letter or a digit',
      );
    const { properties } = next.resource;
    const modelId = textOf(properties.modelId) ?? '';
    const [, registry = '', model = ''] = MODEL.exec(modelId) ?? [];
    if (registry === '')
      throw validationError(
        `properties.modelId: expected azureml://registries/{registry}/models/{model}, got '${modelId}'.`,
        'modelId',
      );
    properties.marketplacePlan = {
      publisherId: registry.toLowerCase(),
      offerId: `${model.toLowerCase()}-offer`,
      planId: `${model.toLowerCase()}-plan`,
    };
    properties.marketplaceSubscriptionStatus = 'Subscribed';
  },
};

/** The id of the workspace's subscription to a model, or null. */
export function subscriptionTo(cloud: Cloud, workspaceId: string, modelId: string): string | null {
  const found = cloud.store
    .children(workspaceId, SUBSCRIPTIONS)
    .find((entry) => modelOf(textOf(entry.resource.properties.modelId) ?? '') === modelOf(modelId));
  return found?.resource.id ?? null;
}

/** Registry and name: a subscription is to all versions of a model. */
function modelOf(modelId: string): string {
  return (MODEL.exec(modelId) ?? []).slice(1).join('/').toLowerCase() || modelId;
}
