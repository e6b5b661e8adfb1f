/**
 * Which Azure: authority, ARM endpoint and audiences, from the environment variables that Azure's own tools use where
 * there are some. A sovereign cloud, a private one and a local one differ in nothing else. The certificate authority of
 * a private cloud is Node's own setting (NODE_EXTRA_CA_CERTS).
 */
import { ClientSecretCredential, DefaultAzureCredential } from '@azure/identity';
import type { TokenCredential } from '@azure/core-auth';

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

/** A service principal's secret where the environment has one, else what DefaultAzureCredential finds. */
export function credentialFrom(environment: NodeJS.ProcessEnv): TokenCredential {
  const authorityHost = environment.AZURE_AUTHORITY_HOST;
  const options = authorityHost === undefined ? {} : { authorityHost };
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = environment;
  if (!tenant || !client || !secret) return new DefaultAzureCredential(options);
  const disableInstanceDiscovery =
    authorityHost !== undefined && !knownAuthorities.has(new URL(authorityHost).hostname);
  const credential = new ClientSecretCredential(tenant, client, secret, {
    ...options,
    disableInstanceDiscovery,
  });
  return authorityHost === undefined ? credential : diagnosed(credential, authorityHost);
}

/**
 * The sign-in library says "endpoints_resolution_error" for an authority that is not there and for one whose certificate
 * nobody trusts: a request of our own says which.
 */
function diagnosed(credential: TokenCredential, authorityHost: string): TokenCredential {
  return {
    async getToken(scopes, options) {
      try {
        return await credential.getToken(scopes, options);
      } catch (error) {
        if (error instanceof Error && error.message.includes('endpoints_resolution_error')) {
          await fetch(authorityHost, { signal: AbortSignal.timeout(5000) });
        }
        throw error;
      }
    },
  };
}
