/** The token endpoint of Entra, its discovery documents, and the cloud's own description for `az` and azure-ai-ml. */

import { serviceSuffixes } from '../http/service-hosts.ts';
import type { Json } from '../contract/index.ts';
import type { Directory } from './directory.ts';
import {
  audiencesOf,
  invalidScope,
  isService,
  missing,
  noPeople,
  refusal,
  refusedSecret,
  withClient,
  type EntraAnswer,
} from './token-request.ts';
import type { TokenService } from './tokens.ts';

/** What people sign in by: nobody does here. */
const INTERACTIVE = /^oauth2\/(v2\.0\/)?(devicecode|authorize|logout)$/;
/** Tenant names that stand for "whichever tenant the client belongs to". */
const ANY_TENANT = new Set(['common', 'organizations']);

export class Entra {
  private readonly authority: string;
  private readonly directory: Directory;
  private readonly tokens: TokenService;

  constructor(authority: string, directory: Directory, tokens: TokenService) {
    this.authority = authority;
    this.directory = directory;
    this.tokens = tokens;
  }

  /** Answers a request below the authority, or undefined if the path is none of Entra's. */
  answer(method: string, path: string, body: string, authorization: string | undefined): EntraAnswer | undefined {
    const segments = path.split('/').filter((segment) => segment !== '');
    const [tenant, ...rest] = segments;
    const place = rest.join('/').toLowerCase();
    if (tenant === undefined) return undefined;
    switch (place) {
      case 'discovery/instance':
        return { status: 200, body: this.instanceDiscovery() };
      case 'v2.0/.well-known/openid-configuration':
      case '.well-known/openid-configuration':
        return this.ofTenant(tenant, () => ({ status: 200, body: this.openIdConfiguration(tenant) }));
      case 'discovery/v2.0/keys':
      case 'discovery/keys':
        return { status: 200, body: this.tokens.jwks() as Json };
      case 'oauth2/v2.0/token':
      case 'oauth2/token':
        if (method !== 'POST')
          return refusal(400, 'invalid_request', 900561, 'The endpoint only accepts POST requests.');
        return this.ofTenant(tenant, () => {
          const form = withClient(new URLSearchParams(body), authorization);
          return this.token(form, place === 'oauth2/token');
        });
      default:
        return INTERACTIVE.test(place) ? this.ofTenant(tenant, noPeople) : undefined;
    }
  }

  private ofTenant(tenant: string, then: () => EntraAnswer): EntraAnswer {
    if (ANY_TENANT.has(tenant.toLowerCase()) || tenant.toLowerCase() === this.directory.tenantId) return then();
    return refusal(
      400,
      'invalid_request',
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
    );
  }

  /** `isFirst`: at the endpoint of version 1, which answers with times and numbers as texts. */
  private token(form: URLSearchParams, isFirst: boolean): EntraAnswer {
    const grant = form.get('grant_type');
    if (grant === null) return missing('grant_type');
    if (grant !== 'client_credentials') {
      return refusal(
        400,
        'unsupported_grant_type',
        70003,
        `The app requested an unsupported grant type '${grant}'. The local Azure knows applications and no people: only client_credentials is offered.`,
      );
    }
    const clientId = form.get('client_id');
    if (clientId === null) return missing('client_id');
    const principal = this.directory.principal(clientId);
    if (!principal) {
      return refusal(
        400,
        'unauthorized_client',
        700016,
        `Application with identifier '${clientId}' was not found in the directory '${this.directory.tenantId}'.`,
      );
    }
    const refused = refusedSecret(form, clientId, principal.secrets);
    if (refused) return refused;
    const asked = audiencesOf(form);
    const [audience] = asked;
    if (audience === undefined) return isFirst ? missing('resource') : invalidScope(form);
    if (asked.length > 1)
      return refusal(
        400,
        'invalid_scope',
        28000,
        'Provided value for the input parameter scope is not valid because it contains more than one resource.',
      );
    if (!isService(audience))
      return refusal(
        400,
        'invalid_resource',
        500011,
        `The resource principal named ${audience} was not found in the tenant named ${this.directory.tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
      );
    return this.issued(this.tokens.issue(principal, audience), audience, isFirst);
  }

  private issued(token: string, audience: string, isFirst: boolean): EntraAnswer {
    const seconds = this.tokens.lifetimeSeconds;
    const now = Math.floor(Date.now() / 1000);
    const times = isFirst
      ? {
          expires_in: String(seconds),
          ext_expires_in: String(seconds),
          expires_on: String(now + seconds),
          not_before: String(now),
          resource: audience,
        }
      : { expires_in: seconds, ext_expires_in: seconds };
    return { status: 200, body: { token_type: 'Bearer', ...times, access_token: token } };
  }

  private openIdConfiguration(tenant: string): Json {
    const base = `${this.authority}/${tenant}`;
    return {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      jwks_uri: `${base}/discovery/v2.0/keys`,
      response_modes_supported: ['query', 'fragment', 'form_post'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      issuer: `${this.authority}/${this.directory.tenantId}/v2.0`,
      request_uri_parameter_supported: false,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'oid', 'tid', 'ver'],
      tenant_region_scope: 'NA',
      cloud_instance_name: new URL(this.authority).host,
    };
  }

  private instanceDiscovery(): Json {
    const host = new URL(this.authority).host;
    return {
      tenant_discovery_endpoint: `${this.authority}/${this.directory.tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    };
  }
}

/** `/metadata/endpoints`: one object from api-version 2022-09-01 on, a list of clouds before. */
export function cloudMetadata(arm: string, authority: string, tenantId: string, apiVersion: string): Json {
  const { storage, vault, registry } = serviceSuffixes(arm);
  const cloud = {
    name: 'Local',
    portal: arm,
    authentication: {
      loginEndpoint: `${authority}/`,
      audiences: [`${arm}/`, arm],
      tenant: tenantId,
      identityProvider: 'AAD',
    },
    media: arm,
    graphAudience: arm,
    graph: arm,
    suffixes: {
      azureDataLakeStoreFileSystem: 'azuredatalakestore.localhost',
      acrLoginServer: registry,
      sqlServerHostname: 'database.localhost',
      azureDataLakeAnalyticsCatalogAndJob: 'azuredatalakeanalytics.localhost',
      keyVaultDns: vault,
      storage,
      azureFrontDoorEndpointSuffix: 'azurefd.localhost',
      storageSyncEndpointSuffix: 'afs.localhost',
      mhsmDns: 'managedhsm.localhost',
    },
    batch: arm,
    resourceManager: `${arm}/`,
    vmImageAliasDoc: arm,
    activeDirectoryDataLake: arm,
    sqlManagement: arm,
    microsoftGraphResourceId: arm,
    appInsightsResourceId: arm,
    appInsightsTelemetryChannelResourceId: arm,
    synapseAnalyticsResourceId: arm,
    logAnalyticsResourceId: arm,
    ossrDbmsResourceId: arm,
  };
  return apiVersion >= '2022-09-01' ? cloud : [cloud];
}
