/**
 * Which Azure: authority, ARM endpoint and audiences, from the environment variables that Azure's own tools use where
 * there are some. A sovereign cloud, a private one and a local one differ in nothing else. The certificate authority of
 * a private cloud is Node's own setting (NODE_EXTRA_CA_CERTS).
 */
import { ClientSecretCredential, DefaultAzureCredential } from '@azure/identity';
import type { TokenCredential } from '@azure/core-auth';
import { UnderstudyError } from '../errors/error.ts';
import { explained } from './sign-in.ts';
import { wholeAnswers } from './http/whole-answers.ts';

export interface CloudSettings {
  /** AZURE_RESOURCE_MANAGER_ENDPOINT; default: the public cloud's. */
  resourceManager: string;
  /** AZURE_RESOURCE_MANAGER_AUDIENCE; default: the endpoint. */
  resourceManagerAudience: string;
  /** AZURE_KEY_VAULT_AUDIENCE; default: the public cloud's. */
  keyVaultAudience: string;
  /** AZURE_AUTHORITY_HOST. */
  authorityHost: string | undefined;
}

export function cloudFrom(environment: NodeJS.ProcessEnv): CloudSettings {
  const resourceManager = (
    environment.AZURE_RESOURCE_MANAGER_ENDPOINT ?? 'https://management.azure.com'
  ).replace(/\/+$/, '');
  return {
    resourceManager,
    resourceManagerAudience: environment.AZURE_RESOURCE_MANAGER_AUDIENCE ?? resourceManager,
    keyVaultAudience: environment.AZURE_KEY_VAULT_AUDIENCE ?? 'https://vault.azure.net',
    authorityHost: environment.AZURE_AUTHORITY_HOST,
  };
}

/** Authorities that answer instance discovery; any other must not be asked for it. */
const knownAuthorities = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.chinacloudapi.cn',
]);

/** Before a topology is read, so no policy says it. */
const signInTimeoutMs = 30_000;

/**
 * A service principal's secret where the environment has one, else what DefaultAzureCredential finds. UsageError for a tenant
 * that cannot be one. What it throws says what was tried, and what to do (see sign-in.ts).
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
    disableInstanceDiscovery:
      authorityHost !== undefined && !knownAuthorities.has(new URL(authorityHost).hostname),
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
