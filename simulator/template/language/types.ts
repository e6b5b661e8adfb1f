/**
 * What the template language asks of its caller and gives it. The work is cut in two: `planDeployment` expands a
 * template without touching the cloud (copy loops, conditions, names, dependencies), and each resource's body is
 * evaluated only when its turn comes, so that `reference()` sees what was made before it.
 */

import type { Json, JsonObject } from '../../contract/index.ts';

export interface DeploymentScope {
  kind: 'resourceGroup' | 'subscription';
  subscriptionId: string;
  tenantId: string;
  /** Set when `kind` is `resourceGroup`: what `resourceGroup()` answers. */
  resourceGroup?: { name: string; location: string; id: string; tags?: JsonObject; properties?: JsonObject };
  /** The deployment's own location (subscription scope) or the resource group's. */
  location: string;
  /** What `subscription().displayName` answers; the subscription id if absent. */
  subscriptionName?: string;
}

export interface DeploymentInput {
  template: JsonObject;
  /** `{ name: { value } }` or `{ name: { reference: { keyVault: { id }, secretName, secretVersion? } } }`. */
  parameters: JsonObject;
  mode: 'Incremental' | 'Complete';
  scope: DeploymentScope;
  deploymentName: string;
  /** What the client sent, `{ "properties": { "template": … } }`: refusals tell their line and column in it. */
  text?: string;
  /** Where the template came from, if it was linked: relative links and `deployment().properties.templateLink`. */
  templateLink?: JsonObject;
  /** What `environment()` answers; the public cloud's values if absent. */
  environment?: JsonObject;
  /** What `deployer()` answers. */
  deployer?: { objectId: string; tenantId: string };
  /**
   * What `providers(namespace)` answers, `{ namespace, resourceTypes: [{ resourceType, locations, apiVersions }] }`.
   */
  providers?: JsonObject[];
  /** The time of `utcNow()` in parameter defaults; the machine's clock if absent. */
  now?: Date;
}

/** What functions ask of the cloud while it deploys. */
export interface Environment {
  /**
   * What a GET of `id` shows: its `properties`, or (`full`) the whole resource. `apiVersion` is undefined where the
   * template gives none. Throws ArmError `ResourceNotFound`.
   */
  reference(id: string, apiVersion: string | undefined, full: boolean): Promise<JsonObject>;
  /** `POST id/action`: `listKeys` and its kin. */
  action(id: string, apiVersion: string, action: string, body?: JsonObject): Promise<Json>;
  now(): Date;
  /** A linked template or parameter file; without it linked deployments are left to the caller. */
  loadLinkedTemplate?(uri: string): Promise<JsonObject>;
  /** The value of a Key Vault secret named by a parameter; without it such a parameter is an error when it is used. */
  secret?(vaultId: string, secretName: string, secretVersion: string | undefined): Promise<string>;
}

/** One thing wrong with a template, in the words Azure uses. */
export interface Problem {
  /** 'InvalidTemplate', 'InvalidRequestContent', … */
  code: string;
  message: string;
}

/** One resource to make, or (`existing`) only to read. Resources whose condition is false are not in the plan. */
export interface PlannedResource {
  id: string;
  /** 'Microsoft.Storage/storageAccounts/blobServices' */
  type: string;
  /** 'account/default': as many segments as the type has below its namespace. */
  name: string;
  apiVersion: string;
  /** Absent if the resource has none, or if it is known only while deploying. */
  location?: string;
  /** Not made by this deployment: `reference()` reads it. */
  existing: boolean;
  /**
   * Ids of planned resources (never existing ones) that must be there first; serial copies depend on their batch
   * before.
   */
  dependsOn: string[];
  copy?: { name: string; index: number; count: number };
  symbolicName?: string;
  /**
   * Set for `Microsoft.Resources/deployments`. The evaluated body holds a template that stands by itself: with outer
   * scope, all it takes from this template is already put in, so the caller runs it like any other deployment.
   */
  nested?: { expressionScope: 'inner' | 'outer' };
  /** Where in the template it stands: '/resources/0'. */
  path: string;
}

export interface DeploymentPlan {
  resources: PlannedResource[];
  /** The body to PUT (without id, type, name, apiVersion), evaluated now: its dependencies must have been made. */
  evaluateBody(resource: PlannedResource, environment: Environment): Promise<JsonObject>;
  /** As `evaluateBody`, but what cannot be known yet stays as its expression: for what-if. */
  previewBody(resource: PlannedResource, environment: Environment): Promise<JsonObject>;
  /** `{ name: { type, value } }`, secure ones as `{ type }`; evaluated when every resource is made. */
  evaluateOutputs(environment: Environment): Promise<JsonObject>;
  /**
   * The effective parameters as a deployment's answer shows them: `{ name: { type, value } }`, secure ones as `{ type
   * }`.
   */
  parameters: JsonObject;
}

/** One resource's predicted change, in the shape of Azure's what-if answer. */
export interface WhatIfChange {
  resourceId: string;
  changeType: 'Create' | 'Delete' | 'Ignore' | 'Deploy' | 'NoChange' | 'Modify' | 'Unsupported';
  before?: JsonObject;
  after?: JsonObject;
  delta?: WhatIfPropertyChange[];
  /** Why nothing can be said, if `changeType` is 'Unsupported'. */
  unsupportedReason?: string;
}

export interface WhatIfPropertyChange {
  path: string;
  propertyChangeType: 'Create' | 'Delete' | 'Modify' | 'Array' | 'NoEffect';
  before?: Json;
  after?: Json;
  children?: WhatIfPropertyChange[];
}
