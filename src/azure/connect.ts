/** Connects to Azure: the real `Azure`, over the SDKs. */
import { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import { ResourceManagementClient } from '@azure/arm-resources';
import { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import type { TokenCredential } from '@azure/core-auth';
import { connectArm } from './arm.ts';
import type { Azure, BlobAccount } from './azure.ts';
import { openBlobAccount } from './storage/blob-account.ts';
import type { CloudSettings } from './cloud.ts';
import { openVault } from './vault.ts';
import { wholeAnswers } from './http/whole-answers.ts';

/** How to connect. */
export interface ConnectOptions {
  credential: TokenCredential;
  cloud: CloudSettings;
  /** Timeout of one request, in milliseconds (policy `requestTimeout`). */
  requestTimeoutMs: number;
}

/** Returns the real Azure. */
export function connectAzure({ credential, cloud, requestTimeoutMs }: ConnectOptions): Azure {
  const arm = connectArm(credential, cloud, { requestTimeoutMs });
  const httpClient = wholeAnswers(requestTimeoutMs);
  const clientOptions = {
    httpClient,
    endpoint: cloud.resourceManager,
    credentialScopes: `${cloud.resourceManagerAudience}/.default`,
    retryOptions: { maxRetries: 1, maxRetryDelayInMs: 2000 },
  };
  const accounts = new Map<string, BlobAccount>();
  const perSubscription = <T>(make: (subscriptionId: string) => T) => {
    const made = new Map<string, T>();
    return (subscriptionId: string): T => {
      const found = made.get(subscriptionId) ?? make(subscriptionId);
      made.set(subscriptionId, found);
      return found;
    };
  };
  return {
    arm,
    ml: perSubscription(
      (id) =>
        new AzureMachineLearningWorkspaces(credential, id, {
          ...clientOptions,
          $host: cloud.resourceManager,
        }),
    ),
    resources: perSubscription((id) => new ResourceManagementClient(credential, id, clientOptions)),
    deployments: perSubscription(
      (id) =>
        new DeploymentsClient(credential, id, {
          httpClient,
          endpoint: cloud.resourceManager,
          credentials: { scopes: [`${cloud.resourceManagerAudience}/.default`] },
          retryOptions: { maxRetries: 1, maxRetryDelayInMs: 2000 },
        }),
    ),
    async blobAccount(accountId, options) {
      const key = accountId.toLowerCase();
      const found = accounts.get(key);
      if (found) return found;
      // A refusal may concern any account: a copy is refused by its target because of its source's key.
      const onRefused = () => accounts.clear();
      const opened = await openBlobAccount(arm, { accountId, requestTimeoutMs, onRefused }, options);
      accounts.set(key, opened);
      return opened;
    },
    vault: (uri) => openVault(credential, uri, cloud.keyVaultAudience, requestTimeoutMs),
  };
}
