/** The token endpoint of Entra, its discovery documents, and the cloud's own description for `az` and azure-ai-ml. */

import { randomUUID } from 'node:crypto';
import { timingSafeEqual } from 'node:crypto';
import { serviceSuffixes } from '../http/service-hosts.ts';
import type { Json } from '../provider.ts';
import type { Directory } from './directory.ts';
import type { TokenService } from './tokens.ts';

export interface EntraAnswer {
  status: number;
  body: Json;
}

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
  answer(method: string, path: string, body: string): EntraAnswer | undefined {
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
        return this.ofTenant(tenant, () => this.token(new URLSearchParams(body)));
      default:
        return undefined;
    }
  }

  private ofTenant(tenant: string, then: () => EntraAnswer): EntraAnswer {
    if (ANY_TENANT.has(tenant.toLowerCase()) || tenant.toLowerCase() === this.directory.tenantId)
      return then();
    return refusal(
      400,
      'invalid_request',
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
    );
  }

  private token(form: URLSearchParams): EntraAnswer {
    const grant = form.get('grant_type');
    if (grant === null) return missing('grant_type');
    if (grant !== 'client_credentials') {
      return refusal(
        400,
        'unsupported_grant_type',
        70003,
        `The app requested an unsupported grant type '${grant}'.`,
      );
    }
    const clientId = form.get('client_id');
    const secret = form.get('client_secret');
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
    if (secret === null) {
      return refusal(
        401,
        'invalid_client',
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      );
    }
    if (!principal.secrets.some((known) => same(known, secret))) {
      return refusal(
        401,
        'invalid_client',
        7000215,
        `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
      );
    }
    const audience = audienceOf(form);
    if (audience === undefined) {
      return refusal(
        400,
        'invalid_scope',
        1002012,
        `The provided value for scope ${form.get('scope') ?? ''} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
      );
    }
    const seconds = this.tokens.lifetimeSeconds;
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: seconds,
        ext_expires_in: seconds,
        access_token: this.tokens.issue(principal, audience),
      },
    };
  }

  private openIdConfiguration(tenant: string): Json {
    const base = `${this.authority}/${tenant}`;
    return {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ['client_secret_post'],
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

/** The audience of a token request: `scope` of v2 (less '/.default') or `resource` of v1. */
function audienceOf(form: URLSearchParams): string | undefined {
  const resource = form.get('resource');
  if (resource) return resource;
  const scope = (form.get('scope') ?? '').split(' ').find((one) => one.endsWith('/.default'));
  const audience = scope?.slice(0, -'/.default'.length);
  // 'https://host//.default' is how v2 clients ask for the audience 'https://host/'.
  return audience === '' ? undefined : audience;
}

function missing(parameter: string): EntraAnswer {
  return refusal(
    400,
    'invalid_request',
    900144,
    `The request body must contain the following parameter: '${parameter}'.`,
  );
}

function refusal(status: number, error: string, code: number, message: string): EntraAnswer {
  const trace = randomUUID();
  const correlation = randomUUID();
  const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+/, '');
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
    },
  };
}

function same(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
