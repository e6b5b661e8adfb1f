/** Bearer tokens as Entra signs them: RS256 JSON web tokens that live for minutes. */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ArmError, type Principal } from '../contract/index.ts';

/** The audiences that ARM takes, beside its own address. */
export const ARM_AUDIENCES = ['https://management.azure.com', 'https://management.core.windows.net'] as const;

/** Verified tokens that are held: memory stays flat. */
const REMEMBERED = 1000;

/** How a service tells its clients where to get a token. */
export interface Challenge {
  /** The parameters of WWW-Authenticate that say so, in the service's own words. */
  where: string;
  /** What it calls the error of a request without a token; undefined: it does not call it an error. */
  missing?: string;
}

interface Claims {
  aud: string;
  exp: number;
  nbf: number;
  oid: string;
  appid: string;
  tid: string;
}

export class TokenService {
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;
  private readonly keyId: string;
  /** How long a token lives, in real seconds. */
  lifetimeSeconds: number;
  private readonly authority: string;
  /** The claims of tokens whose signature was verified: a client sends one for minutes. */
  private readonly verified = new Map<string, Claims>();

  /** The signing key is read from `keyFile`, or made there. `authority`: the base of the token endpoints. */
  constructor(keyFile: string, authority: string, lifetimeSeconds: number) {
    if (!existsSync(keyFile)) {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    }
    this.privateKey = readKey(keyFile);
    this.publicKey = createPublicKey(this.privateKey);
    const der = this.publicKey.export({ type: 'spki', format: 'der' });
    this.keyId = createHash('sha256').update(der).digest('base64url').slice(0, 27);
    this.authority = authority;
    this.lifetimeSeconds = lifetimeSeconds;
  }

  /** The key set of the discovery document. */
  jwks(): { keys: Record<string, unknown>[] } {
    const jwk = this.publicKey.export({ format: 'jwk' });
    return { keys: [{ ...jwk, use: 'sig', alg: 'RS256', kid: this.keyId, x5t: this.keyId }] };
  }

  issue(principal: Principal, audience: string): string {
    const now = Math.floor(Date.now() / 1000);
    const header = { typ: 'JWT', alg: 'RS256', kid: this.keyId, x5t: this.keyId };
    const claims = {
      aud: audience,
      iss: `${this.authority}/${principal.tenantId}/v2.0`,
      iat: now,
      nbf: now,
      exp: now + this.lifetimeSeconds,
      aio: randomUUID(),
      appid: principal.clientId,
      azp: principal.clientId,
      appidacr: '1',
      azpacr: '1',
      idtyp: 'app',
      oid: principal.objectId,
      sub: principal.objectId,
      tid: principal.tenantId,
      uti: randomUUID(),
      ver: '2.0',
    };
    const signed = `${encode(header)}.${encode(claims)}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.privateKey).toString('base64url')}`;
  }

  /**
   * The principal of an Authorization header. Throws ArmError 401: `AuthenticationFailed` (none),
   * `InvalidAuthenticationToken` (malformed, other signature), `InvalidAuthenticationTokenAudience`,
   * `ExpiredAuthenticationToken`.
   */
  check(authorization: string | undefined, audiences: readonly string[], { where, missing }: Challenge): Principal {
    const challenge = (error?: string): Record<string, string> => ({
      'WWW-Authenticate':
        `Bearer ${where}` + (error === undefined ? '' : `, error="invalid_token", error_description="${error}"`),
    });
    const refuse = (code: string, message: string): never => {
      throw new ArmError(401, code, message, { headers: challenge(message) });
    };
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      const message = "Authentication failed. The 'Authorization' header is missing.";
      throw new ArmError(401, 'AuthenticationFailed', message, { headers: challenge(missing) });
    }
    const claims = this.open(token) ?? refuse('InvalidAuthenticationToken', 'The access token is invalid.');
    if (claims.exp <= Date.now() / 1000) {
      const expired = new Date(claims.exp * 1000).toISOString();
      refuse(
        'ExpiredAuthenticationToken',
        `The access token expiry UTC time '${expired}' is earlier than current UTC time '${new Date().toISOString()}'.`,
      );
    }
    if (!audiences.some((audience) => trimmed(audience) === trimmed(claims.aud))) {
      refuse(
        'InvalidAuthenticationTokenAudience',
        `The access token has been obtained for wrong audience or resource '${claims.aud}'. It should exactly match with one of the allowed audiences '${audiences.join("','")}'.`,
      );
    }
    return { objectId: claims.oid, clientId: claims.appid, tenantId: claims.tid };
  }

  private open(token: string): Claims | undefined {
    const known = this.verified.get(token);
    if (known) return known;
    const claims = this.verify(token);
    if (claims) this.verified.set(token, claims);
    if (this.verified.size > REMEMBERED) this.verified.delete(this.verified.keys().next().value ?? '');
    return claims;
  }

  private verify(token: string): Claims | undefined {
    const [header, payload, signature, more] = token.split('.');
    if (!header || !payload || !signature || more !== undefined) return undefined;
    try {
      const head = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: string };
      if (head.alg !== 'RS256') return undefined;
      const bytes = Buffer.from(`${header}.${payload}`);
      if (!verify('RSA-SHA256', bytes, this.publicKey, Buffer.from(signature, 'base64url'))) return undefined;
      return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
    } catch {
      return undefined; // Not a JSON web token at all: the caller answers 401 for every reason alike.
    }
  }
}

function readKey(file: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(file));
  } catch (error) {
    throw new Error(
      `${file}: expected a private key in PEM (${(error as Error).message}). Without the file, a new one is made, and older tokens are invalid.`,
      { cause: error },
    );
  }
}

function trimmed(audience: string): string {
  return audience.replace(/\/+$/, '').toLowerCase();
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
