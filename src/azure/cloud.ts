/**
 * The Azure cloud to use: authority, ARM endpoint and audiences, from the environment variables of Azure's own tools
 * where these exist. A sovereign cloud, a private one and a local one differ only in these. The certificate authority
 * of a private cloud is a setting of Node (NODE_EXTRA_CA_CERTS).
 */
import { ClientSecretCredential, DefaultAzureCredential } from '@azure/identity';
import type { TokenCredential } from '@azure/core-auth';
import { UnderstudyError } from '../errors/error.ts';
import { explained } from './sign-in.ts';
import { wholeAnswers } from './http/whole-answers.ts';

/** The addresses of an Azure cloud. */
export interface CloudSettings {
  /** AZURE_RESOURCE_MANAGER_ENDPOINT. Default: the public cloud's. */
  resourceManager: string;
  /** AZURE_RESOURCE_MANAGER_AUDIENCE. Default: the endpoint. */
  resourceManagerAudience: string;
  /** AZURE_KEY_VAULT_AUDIENCE. Default: the public cloud's. */
  keyVaultAudience: string;
  /** AZURE_AUTHORITY_HOST. */
  authorityHost: string | undefined;
}

/** Reads the settings from the environment. */
export function cloudFrom(environment: NodeJS.ProcessEnv): CloudSettings {
  const resourceManager = (environment.AZURE_RESOURCE_MANAGER_ENDPOINT ?? 'https://management.azure.com').replace(
    /\/+$/,
    '',
  );
  return {
    resourceManager,
    resourceManagerAudience: environment.AZURE_RESOURCE_MANAGER_AUDIENCE ?? resourceManager,
    keyVaultAudience: environment.AZURE_KEY_VAULT_AUDIENCE ?? 'https://vault.azure.net',
    authorityHost: environment.AZURE_AUTHORITY_HOST,
  };
}

/** Authorities that support instance discovery. No other may be asked for it. */
const knownAuthorities = new Set(['login.microsoftonline.com', 'login.microsoftonline.us', 'login.chinacloudapi.cn']);

/** Not a policy, because sign-in happens before a topology is read. */
const signInTimeoutMs = 30_000;

/**
 * Returns a service principal's secret credential if the environment has one, otherwise what DefaultAzureCredential
 * finds. The credential's errors say what was tried and what to do (see sign-in.ts).
 * Errors: UsageError if the tenant is malformed.
 */
export function credentialFrom(environment: NodeJS.ProcessEnv): TokenCredential {
  const { AZURE_AUTHORITY_HOST: authorityHost, AZURE_TENANT_ID: tenant } = environment;
  const { AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = environment;
  if (tenant && !/^[\w.-]+$/.test(tenant)) {
    throw new UnderstudyError(
      'UsageError',
      `the environment variable AZURE_TENANT_ID: expected a tenant's id or domain, got "${tenant}"`,
    );
  }
  const options = {
    httpClient: wholeAnswers(signInTimeoutMs),
    ...(authorityHost === undefined ? {} : { authorityHost }),
    disableInstanceDiscovery: authorityHost !== undefined && !knownAuthorities.has(new URL(authorityHost).hostname),
  };
  const authority = {
    host: authorityHost ?? 'https://login.microsoftonline.com',
    tenant: tenant ?? 'common',
  };
  const credential =
    tenant && client && secret
      ? new ClientSecretCredential(tenant, client, secret, options)
      : new DefaultAzureCredential(options);
  return explained(credential, { environment, authority });
}
