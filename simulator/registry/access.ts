/**
 * Who may pull and push: the admin user by Basic, or a registry token by Bearer, which `/oauth2/exchange` and
 * `/oauth2/token` give for an Entra token and its owner's roles. Source: Azure Container Registry, "Azure Container
 * Registry roles", "Registry token and repository permissions".
 */

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { isSame } from '../storage-protocol/signing-text.ts';
import { ArmError, type Cloud, type JsonObject, type Stored } from '../contract/index.ts';
import { isAllowed } from '../authorization/access.ts';
import { passwordsOf } from './credentials.ts';
import type { Journal, Table } from '../state/journal.ts';
import { OciError } from './oci-error.ts';

export type Right = 'pull' | 'push' | 'delete' | 'catalog';

/** Who a client of `az acr login` says it is, with a refresh token for a password. */
const TOKEN_USER = '00000000-0000-0000-0000-000000000000';
const LIFETIME_SECONDS = 3 * 3600;
const ACTIONS: Record<Right, string> = {
  pull: 'Microsoft.ContainerRegistry/registries/pull/read',
  push: 'Microsoft.ContainerRegistry/registries/push/write',
  delete: 'Microsoft.ContainerRegistry/registries/artifacts/delete',
  catalog: 'Microsoft.ContainerRegistry/registries/pull/read',
};

interface Claims {
  registry: string;
  /** The service principal; absent: the admin user. */
  objectId?: string;
  kind: 'refresh' | 'access';
  expires: number;
}

export interface Asked {
  registry: Stored;
  authorization: string | undefined;
  /** What a challenge names: the registry's address as the client called it. */
  base: string;
  service: string;
}

export class RegistryAccess {
  private readonly cloud: Cloud;
  private readonly secrets: Table<string>;

  constructor(cloud: Cloud, journal: Journal) {
    this.cloud = cloud;
    this.secrets = journal.table('registrySecrets');
  }

  /** Throws OciError 401 with a challenge, 403 where the caller is known and may not. */
  require(asked: Asked, right: Right, repository: string): void {
    const { registry, authorization } = asked;
    const scope = right === 'catalog' ? 'registry:catalog:*' : `repository:${repository}:${right}`;
    if (authorization === undefined || authorization === '') {
      if (right === 'pull' && registry.resource.properties.anonymousPullEnabled === true) return;
      throw challenge(asked, scope);
    }
    const holder = this.holder(registry, authorization);
    if (!holder) throw challenge(asked, scope);
    if (holder.objectId !== undefined && !this.may(registry, holder.objectId, right))
      throw new OciError(403, 'DENIED', `The requested access to the resource is denied: ${scope}.`);
  }

  /** Is the caller anyone at all? For `/v2/`, by which clients ask how to log in. */
  requireKnown(asked: Asked): void {
    if (!this.holder(asked.registry, asked.authorization ?? '')) throw challenge(asked, undefined);
  }

  /** POST /oauth2/exchange: an Entra token for a refresh token of the registry. */
  exchange(registry: Stored, form: URLSearchParams): JsonObject {
    const token = form.get('access_token') ?? '';
    let objectId: string;
    try {
      ({ objectId } = this.cloud.authenticate(`Bearer ${token}`, [
        this.cloud.armEndpoint,
        'https://management.azure.com',
        'https://containerregistry.azure.net',
      ]));
    } catch (error) {
      if (!(error instanceof ArmError)) throw error;
      throw new OciError(401, 'UNAUTHORIZED', `The access token is not good: ${error.message}`);
    }
    return { refresh_token: this.token(registry, { objectId, kind: 'refresh' }) };
  }

  /** GET and POST /oauth2/token: an access token for a refresh token, or for the admin user's password. */
  accessToken(registry: Stored, authorization: string | undefined, form: URLSearchParams): JsonObject {
    const refresh = form.get('refresh_token');
    const basic =
      form.get('grant_type') === 'password'
        ? `Basic ${Buffer.from(`${form.get('username') ?? ''}:${form.get('password') ?? ''}`).toString('base64')}`
        : authorization;
    const holder = refresh === null ? this.holder(registry, basic ?? '') : this.read(registry, refresh);
    if (!holder || (refresh !== null && holder.kind !== 'refresh'))
      throw new OciError(
        401,
        'UNAUTHORIZED',
        'Authentication failed: neither a refresh token nor a password that is good here.',
      );
    const { objectId } = holder;
    return {
      access_token: this.token(registry, { kind: 'access', ...(objectId === undefined ? {} : { objectId }) }),
    };
  }

  private holder(registry: Stored, authorization: string): Claims | undefined {
    const [kind = '', value = ''] = authorization.split(' ');
    if (kind.toLowerCase() === 'bearer') {
      const claims = this.read(registry, value);
      return claims?.kind === 'access' ? claims : undefined;
    }
    if (kind.toLowerCase() !== 'basic') return undefined;
    const [user = '', ...rest] = Buffer.from(value, 'base64').toString('utf8').split(':');
    const password = rest.join(':');
    if (user === TOKEN_USER) return this.read(registry, password);
    if (registry.resource.properties.adminUserEnabled !== true) return undefined;
    const isAdmin = user.toLowerCase() === registry.resource.name.toLowerCase();
    const isRight = passwordsOf(registry).some(({ value: known }) => isSame(password, known));
    return isAdmin && isRight ? { registry: registry.resource.id, kind: 'access', expires: Infinity } : undefined;
  }

  private may(registry: Stored, objectId: string, right: Right): boolean {
    const principal = { objectId, clientId: objectId, tenantId: this.cloud.tenantId };
    return isAllowed(this.cloud, principal, ACTIONS[right], registry.resource.id);
  }

  private token(registry: Stored, claims: Pick<Claims, 'objectId' | 'kind'>): string {
    const all: Claims & { id: string } = {
      ...claims,
      id: randomUUID(),
      registry: registry.resource.id.toLowerCase(),
      expires: this.cloud.clock.now() + LIFETIME_SECONDS * 1000,
    };
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
    const payload = Buffer.from(JSON.stringify({ ...all, exp: Math.floor(all.expires / 1000) })).toString('base64url');
    return `${header}.${payload}.${this.seal(`${header}.${payload}`)}`;
  }

  private read(registry: Stored, token: string): Claims | undefined {
    const [header = '', payload = '', seal = ''] = token.split('.');
    if (!isSame(seal, this.seal(`${header}.${payload}`))) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
    const isOwn = claims.registry === registry.resource.id.toLowerCase();
    return isOwn && claims.expires > this.cloud.clock.now() ? claims : undefined;
  }

  private seal(text: string): string {
    let secret = this.secrets.get('tokens');
    if (secret === undefined) this.secrets.set('tokens', (secret = randomBytes(32).toString('base64')));
    return createHmac('sha256', secret).update(text).digest('base64url');
  }
}

function challenge({ base, service }: Asked, scope: string | undefined): OciError {
  const named = scope === undefined ? '' : `,scope="${scope}"`;
  return new OciError(
    401,
    'UNAUTHORIZED',
    'Authentication required, visit https://aka.ms/acr/authorization for more information.',
    {
      'WWW-Authenticate': `Bearer realm="${base}/oauth2/token",service="${service}"${named}`,
    },
  );
}

/** The fields of a form, or of a query. */
export function formOf(body: Buffer, query: URLSearchParams): URLSearchParams {
  const form = new URLSearchParams(body.toString('utf8'));
  for (const [name, value] of query) if (!form.has(name)) form.set(name, value);
  return form;
}
