/**
 * Azure as Understudy uses it: raw ARM JSON (where the typed clients would lose fields), the typed clients, and blob
 * accounts. `connectAzure` in connect.ts makes the real one. Tests may pass another.
 */
import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import type { ResourceManagementClient } from '@azure/arm-resources';
import type { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import type { ContainerClient, BlobServiceClient } from '@azure/storage-blob';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** A resource as ARM returns it. `properties` is complete and untyped. */
export interface ArmResource {
  id: string;
  name: string;
  type: string;
  location?: string;
  tags?: Record<string, string>;
  properties: JsonObject;
  [field: string]: unknown;
}

/** Options of one call. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Timeout of one request, in milliseconds. Default: the policy `requestTimeout`. */
  timeoutMs?: number;
  /** Not urgent: leaves a share of the subscription's rate to urgent requests. */
  patient?: true;
  /** Called whenever the request is sent, after it has waited for its turn. The time before is not Azure's. */
  onSent?: () => void;
  /** Called whenever Azure throttles. The request waits as long as Azure says, and is then sent again. */
  onThrottled?: () => void;
  /** Called whenever Azure answers, also if a long-running operation is still in progress. */
  onAnswer?: () => void;
}

/** One page of a list. */
export interface ArmPage {
  value: ArmResource[];
  /** The path of the next page. Absent for the last one. */
  next?: string;
}

/**
 * ARM as raw JSON through the SDK's own pipeline (authentication, retries, tracing), paced below the subscription's
 * token buckets. `path` starts with `/subscriptions/…`. Every failure is an UnderstudyError: `AzureUnavailable` (no
 * answer, 429, 5xx, 408: retryable), `CredentialError` (401, token refused), `AzureError` (the rest, with Azure's
 * code).
 */
export interface Arm {
  get(path: string, apiVersion: string, options?: CallOptions): Promise<ArmResource>;
  /** As `get`, but returns undefined on 404. */
  find(path: string, apiVersion: string, options?: CallOptions): Promise<ArmResource | undefined>;
  /** Yields all pages. `path` may contain a query. */
  list(path: string, apiVersion: string, options?: CallOptions): AsyncIterable<ArmResource>;
  /** Returns one page of a list. `path`: the list's, or the previous page's `next`. */
  page(path: string, apiVersion: string, options?: CallOptions): Promise<ArmPage>;
  /** PUT. Waits for a long-running operation to end and returns the resource as it then is. */
  put(path: string, apiVersion: string, body: JsonObject, options?: CallOptions): Promise<ArmResource>;
  patch(path: string, apiVersion: string, body: JsonObject, options?: CallOptions): Promise<ArmResource>;
  /** POST {path}/{action}. Waits for a long-running operation. */
  post(path: string, apiVersion: string, body?: JsonObject, options?: CallOptions): Promise<Json>;
  /** As `post`, but returns once Azure has accepted the request. The caller checks for the effect. */
  start(path: string, apiVersion: string, options?: CallOptions): Promise<void>;
  /** DELETE. Waits for a long-running operation. A 404 or 204 counts as success. */
  remove(path: string, apiVersion: string, options?: CallOptions): Promise<void>;
}

/**
 * A storage account by its ARM id. Its addresses come from ARM, and its key is resolved when needed and never shown.
 */
export interface BlobAccount {
  accountId: string;
  name: string;
  /** `https://…/`, with a trailing slash. */
  endpoint: string;
  service: BlobServiceClient;
  container(name: string): ContainerClient;
  /** Returns a URL with a read-only SAS for one blob, valid for an hour. A server-side copy reads from it. */
  readUrl(container: string, blob: string): string;
}

/** Everything that Understudy asks Azure. */
export interface Azure {
  arm: Arm;
  ml(subscriptionId: string): AzureMachineLearningWorkspaces;
  resources(subscriptionId: string): ResourceManagementClient;
  deployments(subscriptionId: string): DeploymentsClient;
  blobAccount(accountId: string, options?: CallOptions): Promise<BlobAccount>;
  /** Returns a key vault by its URI. Values stay inside the activity that reads them. */
  vault(uri: string): Vault;
}

/** Secrets in a key vault. */
export interface Vault {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string, tags: Record<string, string>): Promise<{ version: string }>;
}

/**
 * The api-versions used for raw requests. The version for jobs has all fields of a job (2.1.1's 2022-10-01 does not).
 */
export const apiVersions = {
  machineLearning: '2024-04-01',
  storage: '2023-05-01',
  deployments: '2024-03-01',
  resourceGroups: '2024-03-01',
  roleAssignments: '2022-04-01',
  cdn: '2024-02-01',
  keyVault: '2023-07-01',
  containerRegistry: '2023-07-01',
  applicationInsights: '2020-02-02',
} as const;
