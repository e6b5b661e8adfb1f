/**
 * What the product sees of Azure: raw ARM JSON (for what the typed clients would lose), the typed clients, and blob
 * accounts. `connectAzure` in connect.ts makes the real one; tests may pass another.
 */
import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import type { ResourceManagementClient } from '@azure/arm-resources';
import type { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import type { ContainerClient, BlobServiceClient } from '@azure/storage-blob';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** A resource as ARM answers it; `properties` whole and untyped. */
export interface ArmResource {
  id: string;
  name: string;
  type: string;
  location?: string;
  tags?: Record<string, string>;
  properties: JsonObject;
  [field: string]: unknown;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds for one request; default: the policy `requestTimeout`. */
  timeoutMs?: number;
  /** It is in no hurry: it leaves a share of what the subscription may be asked a second to requests that are. */
  patient?: true;
  /** Called whenever the request is sent, after it has waited for its turn: time before that is no time that Azure took. */
  onSent?: () => void;
  /** Called whenever Azure takes no more requests for now: it is waited as long as Azure says, then sent again. */
  onThrottled?: () => void;
  /** Called whenever Azure answers, also that a long-running operation still goes on. */
  onAnswer?: () => void;
}

/** One page of a list. */
export interface ArmPage {
  value: ArmResource[];
  /** What to ask for the next page; absent: this was the last. */
  next?: string;
}

/**
 * ARM as raw JSON through the SDK's own pipeline (authentication, retries, tracing), paced below the subscription's
 * token buckets. `path` starts with `/subscriptions/…`. Every failure is an UnderstudyError: `AzureUnavailable` (no
 * answer, 429, 5xx, 408: retryable), `CredentialError` (401, token refused), `AzureError` (the rest, with Azure's code).
 */
export interface Arm {
  get(path: string, apiVersion: string, options?: CallOptions): Promise<ArmResource>;
  /** As `get`; undefined on 404. */
  find(path: string, apiVersion: string, options?: CallOptions): Promise<ArmResource | undefined>;
  /** All pages. `path` may carry a query. */
  list(path: string, apiVersion: string, options?: CallOptions): AsyncIterable<ArmResource>;
  /** One page of a list: of `path`, or of what the page before named as next. */
  page(path: string, apiVersion: string, options?: CallOptions): Promise<ArmPage>;
  /** PUT; waits for a long-running operation to end and answers the resource as it then is. */
  put(path: string, apiVersion: string, body: JsonObject, options?: CallOptions): Promise<ArmResource>;
  patch(path: string, apiVersion: string, body: JsonObject, options?: CallOptions): Promise<ArmResource>;
  /** POST {path}/{action}; waits for a long-running operation. */
  post(path: string, apiVersion: string, body?: JsonObject, options?: CallOptions): Promise<Json>;
  /** As `post`, and done once Azure has accepted it: whoever asks looks for the effect. */
  start(path: string, apiVersion: string, options?: CallOptions): Promise<void>;
  /** DELETE; waits; a 404 or 204 is fine. */
  remove(path: string, apiVersion: string, options?: CallOptions): Promise<void>;
}

/** A storage account by its ARM id, its addresses taken from ARM, its key resolved on demand and never shown. */
export interface BlobAccount {
  accountId: string;
  name: string;
  /** `https://…/` with a trailing slash. */
  endpoint: string;
  service: BlobServiceClient;
  container(name: string): ContainerClient;
  /** A URL with a read-only SAS for one blob, for a server-side copy to read; valid for an hour. */
  readUrl(container: string, blob: string): string;
}

export interface Azure {
  arm: Arm;
  ml(subscriptionId: string): AzureMachineLearningWorkspaces;
  resources(subscriptionId: string): ResourceManagementClient;
  deployments(subscriptionId: string): DeploymentsClient;
  blobAccount(accountId: string, options?: CallOptions): Promise<BlobAccount>;
  /** A Key Vault secret, by the vault's URI. Values stay inside the activity that asks. */
  vault(uri: string): Vault;
}

export interface Vault {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string, tags: Record<string, string>): Promise<{ version: string }>;
}

/** The api-versions used for raw requests: one place. The job version knows the whole job (2.1.1's 2022-10-01 does not). */
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
