/**
 * Key Vault's secrets by its data plane (api 7.4), for the escrow of secrets that could not be read from a lost region.
 */
import type { TokenCredential } from '@azure/core-auth';
import { ServiceClient } from '@azure/core-client';
import { createHttpHeaders, createPipelineRequest, type HttpMethods } from '@azure/core-rest-pipeline';
import type { Vault } from './azure.ts';
import { answerError, azureError } from './errors.ts';
import { wholeAnswers } from './http/whole-answers.ts';

const apiVersion = '7.4';

/** Opens a vault by its URI. */
export function openVault(credential: TokenCredential, uri: string, audience: string, timeout: number): Vault {
  const base = uri.replace(/\/+$/, '');
  const client = new ServiceClient({
    credential,
    credentialScopes: `${audience}/.default`,
    endpoint: base,
    httpClient: wholeAnswers(timeout),
    // Few retries: the step retries by itself.
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 2000 },
  });
  const send = async (method: HttpMethods, name: string, body?: object) => {
    const tried = `${method} secret "${name}" of ${base}`;
    try {
      return await client.sendRequest(
        createPipelineRequest({
          url: `${base}/secrets/${encodeURIComponent(name)}?api-version=${apiVersion}`,
          method,
          timeout,
          headers: createHttpHeaders(body ? { 'content-type': 'application/json' } : {}),
          ...(body ? { body: JSON.stringify(body) } : {}),
        }),
      );
    } catch (error) {
      throw azureError(tried, error);
    }
  };
  return {
    async get(name) {
      const response = await send('GET', name);
      if (response.status === 404) return undefined;
      if (response.status !== 200) throw answerError(`GET secret "${name}" of ${base}`, response);
      return (JSON.parse(response.bodyAsText ?? '{}') as { value?: string }).value;
    },
    async set(name, value, tags) {
      const response = await send('PUT', name, { value, tags });
      if (response.status !== 200) throw answerError(`PUT secret "${name}" of ${base}`, response);
      const { id } = JSON.parse(response.bodyAsText ?? '{}') as { id?: string };
      return { version: id?.split('/').at(-1) ?? '' };
    },
  };
}
