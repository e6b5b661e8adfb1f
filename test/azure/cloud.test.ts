import { webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { describe, expect, it, vi } from 'vitest';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { azureError } from '../../src/azure/errors.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { closedPort, startServer } from './server.ts';

const whole = {
  AZURE_TENANT_ID: '8a2b0000-0000-0000-0000-000000000001',
  AZURE_CLIENT_ID: 'c',
  AZURE_CLIENT_SECRET: 'canary-secret',
};

describe('the cloud', () => {
  it('is the public one unless said', () => {
    expect(cloudFrom({})).toEqual({
      resourceManager: 'https://management.azure.com',
      resourceManagerAudience: 'https://management.azure.com',
      keyVaultAudience: 'https://vault.azure.net',
      authorityHost: undefined,
    });
  });

  it('is what the environment says, without trailing slashes', () => {
    expect(
      cloudFrom({
        AZURE_RESOURCE_MANAGER_ENDPOINT: 'https://localhost:1//',
        AZURE_AUTHORITY_HOST: 'https://localhost:2',
        AZURE_KEY_VAULT_AUDIENCE: 'https://vault.x',
      }),
    ).toEqual({
      resourceManager: 'https://localhost:1',
      resourceManagerAudience: 'https://localhost:1',
      keyVaultAudience: 'https://vault.x',
      authorityHost: 'https://localhost:2',
    });
    expect(cloudFrom({ AZURE_RESOURCE_MANAGER_AUDIENCE: 'https://a' }).resourceManagerAudience).toBe('https://a');
  });

  it('is entered by what Azure finds where the environment has no whole service principal', async () => {
    vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'EnvironmentCredential');
    for (const name of Object.keys(whole)) vi.stubEnv(name, '');
    const credential = credentialFrom({ ...whole, AZURE_CLIENT_SECRET: '' });
    await expect(credential.getToken('https://a/.default')).rejects.toMatchObject({
      code: 'CredentialError',
      message:
        'signing in to Azure: no token: nothing to sign in with: tried the environment (AZURE_CLIENT_SECRET not set)',
    });
    vi.unstubAllEnvs();
  });

  it('is not entered by what cannot be a tenant', () => {
    expect(() => credentialFrom({ ...whole, AZURE_TENANT_ID: 'my tenant' })).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('AZURE_TENANT_ID') }),
    );
  });
});

/** Key and certificate in PEM, as a service principal has them: Entra takes RSA. */
async function expiredClientCertificate(): Promise<string> {
  const signingAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(
    { ...signingAlgorithm, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  );
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=understudy',
    keys,
    signingAlgorithm,
    notBefore: new Date('2024-01-01'),
    notAfter: new Date('2025-01-25'),
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return `${key}\n${certificate.toString('pem')}\n`;
}

describe('an authority', () => {
  async function signIn(authority: string): Promise<UnderstudyError> {
    const credential = credentialFrom({ ...whole, AZURE_AUTHORITY_HOST: authority });
    const error: unknown = await credential.getToken('https://a/.default').catch((thrown: unknown) => thrown);
    const said = azureError('GET /x', error);
    if (!(said instanceof UnderstudyError)) throw new Error('it signed in', { cause: error });
    expect(JSON.stringify([said.message, said.details])).not.toContain('canary-secret');
    return said;
  }

  it('that is not there is unavailable, and may come back', async () => {
    expect(await signIn(`https://localhost:${await closedPort()}`)).toMatchObject({
      code: 'AzureUnavailable',
      message: 'GET /x: no answer (ECONNREFUSED)',
    });
  });

  it('whose certificate nobody trusts comes with what to set', async () => {
    const stranger = await startServer({ trusted: false });
    try {
      const error = await signIn(stranger.url);
      expect(error.message).toMatch(/no answer \(.*SELF_SIGNED_CERT/);
      expect(error.details.next).toContain('NODE_EXTRA_CA_CERTS');
    } finally {
      await stranger.close();
    }
  });

  it('whose certificate has expired is named, with the day', async () => {
    const server = await startServer({ madeAt: new Date('2024-01-01') });
    try {
      const error = await signIn(server.url);
      expect(error.code).toBe('AzureUnavailable');
      expect(error.message).toBe(
        `signing in to Azure: no answer (CERT_HAS_EXPIRED) of ${new URL(server.url).host}: its TLS certificate has expired, on 2025-01-25`,
      );
      expect(error.details.next).toMatch(/renewed .*clock/);
    } finally {
      await server.close();
    }
  });

  it('that refuses a client certificate that has expired: the file and the day', async () => {
    const server = await startServer();
    const folder = await mkdtemp(join(tmpdir(), 'understudy-certificate-'));
    try {
      const file = join(folder, 'client.pem');
      await writeFile(file, await expiredClientCertificate());
      const environment = {
        AZURE_TENANT_ID: whole.AZURE_TENANT_ID,
        AZURE_CLIENT_ID: 'c',
        AZURE_CLIENT_CERTIFICATE_PATH: file,
        AZURE_AUTHORITY_HOST: server.url,
      };
      for (const [name, value] of Object.entries({
        ...environment,
        AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
      }))
        vi.stubEnv(name, value);
      const { url } = server;
      server.answers.push(({ path }) =>
        path.endsWith('/openid-configuration')
          ? {
              status: 200,
              body: {
                issuer: `${url}/${whole.AZURE_TENANT_ID}/v2.0`,
                authorization_endpoint: `${url}/${whole.AZURE_TENANT_ID}/oauth2/v2.0/authorize`,
                token_endpoint: `${url}/${whole.AZURE_TENANT_ID}/oauth2/v2.0/token`,
                jwks_uri: `${url}/keys`,
              },
            }
          : {
              status: 401,
              body: {
                error: 'invalid_client',
                error_description: 'AADSTS700027: Client assertion contains an invalid signature. Trace ID: 1',
              },
            },
      );
      await expect(credentialFrom(environment).getToken('https://a/.default')).rejects.toMatchObject({
        code: 'CredentialError',
        message: `signing in to Azure: no token: the client certificate "${file}" has expired, on 2025-01-25`,
        details: { next: expect.stringContaining('AZURE_CLIENT_CERTIFICATE_PATH') },
      });
      expect(server.asked.some(({ path }) => path.endsWith('/token'))).toBe(true);
    } finally {
      vi.unstubAllEnvs();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('that has no such tenant is about the tenant', async () => {
    const server = await startServer();
    try {
      const error_description = "AADSTS90002: Tenant 'x' not found. Trace ID: 1";
      server.answers.push({ status: 400, body: { error: 'invalid_tenant', error_description } });
      const error = await signIn(server.url);
      expect(error.code).toBe('CredentialError');
      expect(error.message).toBe("signing in to Azure: no token: AADSTS90002: Tenant 'x' not found.");
      expect(error.details.next).toContain('AZURE_TENANT_ID');
    } finally {
      await server.close();
    }
  });

  it('that refuses the secret is about the credential', async () => {
    const server = await startServer();
    try {
      server.answers.push(({ path }) =>
        path.endsWith('/openid-configuration')
          ? {
              status: 200,
              body: {
                issuer: `${server.url}/t/v2.0`,
                authorization_endpoint: `${server.url}/t/oauth2/v2.0/authorize`,
                token_endpoint: `${server.url}/t/oauth2/v2.0/token`,
                jwks_uri: `${server.url}/t/keys`,
              },
            }
          : {
              status: 401,
              body: {
                error: 'invalid_client',
                error_description: 'AADSTS7000215: Invalid client secret provided.',
              },
            },
      );
      const error = await signIn(server.url);
      expect(error.code).toBe('CredentialError');
      expect(error.message).toContain('AADSTS7000215');
      expect(error.details.next).toContain('AZURE_CLIENT_SECRET');
    } finally {
      await server.close();
    }
  });
});
