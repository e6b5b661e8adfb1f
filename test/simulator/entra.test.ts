import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await TestCloud.start();
}, 60_000);
afterAll(() => cloud.stop());

const form = { 'content-type': 'application/x-www-form-urlencoded' };

function errorOf(json: JsonObject): string {
  return (json.error as JsonObject).code as string;
}

describe('Entra', () => {
  it('issues tokens that its own key set verifies, for minutes only', async () => {
    const { arm, tenantId, clientId } = cloud.at.address;
    const token = await cloud.credential().getToken(`${arm}/.default`);
    expect((token.expiresOnTimestamp - Date.now()) / 1000).toBeGreaterThan(200);
    expect((token.expiresOnTimestamp - Date.now()) / 1000).toBeLessThanOrEqual(301);
    const configuration = (await cloud.ask(`${arm}/${tenantId}/v2.0/.well-known/openid-configuration`)).json;
    const { keys } = (await cloud.ask(configuration.jwks_uri as string)).json as unknown as {
      keys: (JsonWebKey & { kid: string })[];
    };
    const [header = '', payload = '', signature = ''] = token.token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    const key = createPublicKey({ key: keys.find((one) => one.kid === kid) ?? {}, format: 'jwk' });
    expect(verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JsonObject;
    expect(claims).toMatchObject({ aud: arm, tid: tenantId, appid: clientId, iss: configuration.issuer });
  });

  it('refuses a wrong secret, an unknown application, an unknown tenant, each with its code', async () => {
    await expect(cloud.credential('wrong').getToken(`${cloud.at.address.arm}/.default`)).rejects.toThrow(
      /AADSTS7000215/,
    );
    const { arm, tenantId, clientId, clientSecret } = cloud.at.address;
    const ask = (tenant: string, fields: Record<string, string>): Promise<string> =>
      new Promise((resolve, reject) => {
        const body = new URLSearchParams(fields).toString();
        fetchForm(`${arm}/${tenant}/oauth2/v2.0/token`, body).then(resolve, reject);
      });
    const good = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${arm}/.default`,
    };
    expect(await ask(tenantId, { ...good, client_id: tenantId })).toContain('AADSTS700016');
    expect(await ask(clientId, good)).toContain('AADSTS90002');
    expect(await ask(tenantId, { ...good, scope: 'openid' })).toContain('AADSTS1002012');
    expect(await ask(tenantId, good)).toContain('access_token');
  });

  it('takes a secret in the header, and says what it does not offer', async () => {
    const { arm, tenantId, clientId, clientSecret } = cloud.at.address;
    const ask = (fields: Record<string, string>, headers = {}, path = 'oauth2/v2.0/token'): Promise<HttpAnswer> =>
      cloud.ask(`${arm}/${tenantId}/${path}`, {
        method: 'POST',
        raw: new URLSearchParams(fields).toString(),
        headers: { ...form, ...headers },
      });
    const grant = { grant_type: 'client_credentials' };
    const good = { ...grant, client_id: clientId, client_secret: clientSecret };
    const scope = `${arm}/.default`;
    const basic = Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString('base64');
    expect((await ask({ ...grant, scope }, { authorization: `Basic ${basic}` })).status).toBe(200);
    const first = await ask({ ...good, resource: arm }, {}, 'oauth2/token');
    expect(first.json).toMatchObject({ resource: arm, expires_in: '300' });
    // What azure-ai-ml asks for where the cloud's name has no domain.
    expect((await ask({ ...good, scope: 'https://ml.azure./.default' })).status).toBe(200);
    const { client_secret: _, ...unsigned } = good;
    for (const [fields, status, code, path] of [
      [{ ...unsigned, scope, client_assertion: 'a.b.c' }, 401, 700027, undefined],
      [{ ...good, scope: `${scope} https://vault.azure.net/.default` }, 400, 28000, undefined],
      [{ ...good, scope: 'https://nowhere.example/.default' }, 400, 500011, undefined],
      [{ ...good, scope, grant_type: 'password' }, 400, 70003, undefined],
      [{ client_id: clientId, scope }, 400, 700038, 'oauth2/v2.0/devicecode'],
    ] as const) {
      const refused = await ask(fields, {}, path);
      expect([refused.status, refused.json.error_codes]).toEqual([status, [code]]);
    }
  });

  it('describes the cloud in both forms that clients ask for', async () => {
    const { arm } = cloud.at.address;
    const one = (await cloud.ask(`${arm}/metadata/endpoints?api-version=2022-09-01`)).json;
    expect(one).toMatchObject({ resourceManager: `${arm}/`, authentication: { loginEndpoint: `${arm}/` } });
    const list = JSON.parse((await cloud.ask(`${arm}/metadata/endpoints?api-version=2019-05-01`)).text) as JsonObject[];
    expect(list).toHaveLength(1);
    expect(list[0]).toEqual(one);
  });
});

async function fetchForm(url: string, body: string): Promise<string> {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: form, ca: cloud.ca }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('ARM takes only good tokens', () => {
  const path = '/subscriptions?api-version=2022-12-01';

  it('none, a stranger, another audience, an expired one', async () => {
    const none = await cloud.arm(path, { token: null });
    expect([none.status, errorOf(none.json)]).toEqual([401, 'AuthenticationFailed']);
    const { arm, tenantId } = (await cloud.admin('GET', '/cloud')).json as Record<string, string>;
    expect(none.headers['www-authenticate']).toBe(
      `Bearer authorization_uri="${arm}/${tenantId}", error="invalid_token", ` +
        `error_description="The authentication failed because of missing 'Authorization' header."`,
    );

    const good = await cloud.token();
    const forged = `${good.split('.').slice(0, 2).join('.')}.${Buffer.from('forged').toString('base64url')}`;
    expect(errorOf((await cloud.arm(path, { token: forged })).json)).toBe('InvalidAuthenticationToken');

    const vault = await cloud.token('https://vault.azure.net');
    expect(errorOf((await cloud.arm(path, { token: vault })).json)).toBe('InvalidAuthenticationTokenAudience');

    await cloud.admin('POST', '/tokens', { lifetimeSeconds: 1 });
    const short = await cloud.token();
    await cloud.admin('POST', '/tokens', { lifetimeSeconds: 300 });
    expect((await cloud.arm(path, { token: short })).status).toBe(200);
    const { exp } = JSON.parse(Buffer.from(short.split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number;
    };
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 - Date.now() + 20));
    const expired = await cloud.arm(path, { token: short });
    expect([expired.status, errorOf(expired.json)]).toEqual([401, 'ExpiredAuthenticationToken']);
  });
});
