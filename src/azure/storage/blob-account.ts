/** A storage account, found by its ARM id: addresses and key come from ARM, never from a pattern of names. */
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

/** SAS for server-side copies begin in the past, so that a clock that is a little behind accepts them. */
const sasSkewMs = 5 * 60_000;
const sasLifeMs = 60 * 60_000;

export interface OpenBlobAccount {
  accountId: string;
  requestTimeoutMs: number;
  /** For one request to the blob service, and for each wait for more of a blob; default: at least a minute. */
  tryTimeoutMs?: number;
  /** Told of a 403: the keys may have been rotated since they were read. */
  onRefused: () => void;
}

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
  // A copy is answered when it is done, so a blob service is given longer than ARM.
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
 * `tryTimeoutInMs` is only a wish, told to the server: one that takes the connection and says nothing, or stops in the middle of
 * its answer, would be waited for without end.
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

/** Stands outside what turns answers into errors, so a refusal is an error here. */
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
