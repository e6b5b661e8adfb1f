/** Opens a storage account by its ARM id. Addresses and key come from ARM, never from a name pattern. */
import { RestError } from '@azure/core-rest-pipeline';
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  newPipeline,
  StorageSharedKeyCredential,
  type RequestPolicyFactory,
} from '@azure/storage-blob';
import { UnderstudyError } from '../../errors/error.ts';
import type { Arm, BlobAccount, CallOptions } from '../azure.ts';
import { withinTimeout } from '../http/whole-answers.ts';
import { keysOf, readAccount } from './storage-account.ts';

/** A SAS for a server-side copy starts in the past, so that a server whose clock is a little behind accepts it. */
const sasSkewMs = 5 * 60_000;
const sasLifeMs = 60 * 60_000;

/** How to open an account. */
export interface OpenBlobAccount {
  accountId: string;
  requestTimeoutMs: number;
  /** Timeout of one request to the blob service, and of each wait for more of a blob. Default: at least a minute. */
  tryTimeoutMs?: number;
  /** Called on a 403: the keys may have been rotated since they were read. */
  onRefused: () => void;
}

/**
 * Opens an account.
 * Errors: AzureError if it has no blob endpoint; those of ARM.
 */
export async function openBlobAccount(
  arm: Arm,
  { accountId, requestTimeoutMs, tryTimeoutMs, onRefused }: OpenBlobAccount,
  options: CallOptions = {},
): Promise<BlobAccount> {
  const account = await readAccount(arm, accountId, options);
  const endpoint = account.endpoints.blob;
  if (endpoint === undefined) {
    throw new UnderstudyError('AzureError', `storage account ${accountId} has no blob endpoint`);
  }
  const [key] = await keysOf(arm, accountId, options);
  const credential = new StorageSharedKeyCredential(account.name, key);
  // The response to a copy arrives when the copy is done, so the blob service gets more time than ARM.
  const tryMs = tryTimeoutMs ?? Math.max(requestTimeoutMs, 60_000);
  const pipeline = newPipeline(credential, {
    retryOptions: {
      maxTries: 4,
      tryTimeoutInMs: tryMs,
      retryDelayInMs: 200,
      maxRetryDelayInMs: 2000,
    },
  });
  pipeline.factories.unshift(watchRefusals(onRefused));
  pipeline.factories.push(giveUpAfter(tryMs));
  const service = new BlobServiceClient(endpoint.replace(/\/$/, ''), pipeline);
  return {
    accountId,
    name: account.name,
    endpoint,
    service,
    container: (name) => service.getContainerClient(name),
    readUrl(container, blob) {
      const now = Date.now();
      const query = generateBlobSASQueryParameters(
        {
          containerName: container,
          blobName: blob,
          permissions: BlobSASPermissions.parse('r'),
          startsOn: new Date(now - sasSkewMs),
          expiresOn: new Date(now + sasLifeMs),
        },
        credential,
      );
      return `${service.getContainerClient(container).getBlobClient(blob).url}?${query.toString()}`;
    },
  };
}

/**
 * `tryTimeoutInMs` is only a hint to the server. Without this, the client would wait forever for a server that accepts
 * the connection and never answers, or stops in the middle.
 */
function giveUpAfter(milliseconds: number): RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest(request) {
        request.timeout = milliseconds;
        return withinTimeout(request, (limited) => next.sendRequest(limited));
      },
    }),
  };
}

/** Runs outside the policy that turns responses into errors, so a refusal is an error here. */
function watchRefusals(onRefused: () => void): RequestPolicyFactory {
  return {
    create: (next) => ({
      async sendRequest(request) {
        try {
          return await next.sendRequest(request);
        } catch (error) {
          if (error instanceof RestError && error.statusCode === 403) onRefused();
          throw error;
        }
      },
    }),
  };
}
