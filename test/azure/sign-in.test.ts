/** What a person reads who cannot sign in, or may not: what was tried, in one line, and what to do. */
import { AggregateAuthenticationError, AuthenticationError, CredentialUnavailableError } from '@azure/identity';
import type { TokenCredential } from '@azure/core-auth';
import { describe, expect, it } from 'vitest';
import { answerError, azureError } from '../../src/azure/errors.ts';
import { explained, signInError } from '../../src/azure/sign-in.ts';
import type { UnderstudyError } from '../../src/errors/error.ts';

const nobody = new AggregateAuthenticationError(
  [
    'EnvironmentCredential is unavailable. No underlying credential could be used. To troubleshoot, visit https://aka.ms/x.',
    'ManagedIdentityCredential: Network unreachable. Message: network_error: See https://aka.ms/msal.js.errors#network_error for details',
    "Azure CLI could not be found. Please visit https://aka.ms/azure-cli for installation instructions and then, once installed, authenticate to your Azure account using 'az login'.",
    'Error: Unable to execute PowerShell. Ensure that it is installed in your system.',
    "Azure Developer CLI couldn't be found. To mitigate this issue, see the troubleshooting guidelines.",
  ].map((message) => new CredentialUnavailableError(message)),
  'ChainedTokenCredential authentication failed.',
);

describe('nothing to sign in with', () => {
  it('says in one line what was tried, and what to do', () => {
    const error = signInError('GET /x', nobody, { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c' });
    expect(error.code).toBe('CredentialError');
    expect(error.message).toBe(
      'GET /x: no token: nothing to sign in with: tried the environment (AZURE_CLIENT_SECRET not set), managed identity (none here), ' +
        'Azure CLI (not installed), Azure PowerShell (not installed), Azure Developer CLI (not installed)',
    );
    for (const way of ['AZURE_CLIENT_SECRET', 'az login', 'managed identity'])
      expect(error.details.next).toContain(way);
  });

  it('is no outage of Azure, although a managed identity says "network"', () => {
    expect(azureError('GET /x', nobody)).toMatchObject({ code: 'CredentialError' });
  });

  it('tells a person whose sign-in has run out to sign in again', () => {
    const old = new AggregateAuthenticationError(
      [
        new CredentialUnavailableError('EnvironmentCredential is unavailable.'),
        new CredentialUnavailableError(
          'ERROR: AADSTS700082: The refresh token has expired due to inactivity.\nTrace ID: 1',
        ),
      ],
      'ChainedTokenCredential authentication failed.',
    );
    expect(signInError('GET /x', old, {})).toMatchObject({
      message: 'GET /x: no token: AADSTS700082: The refresh token has expired due to inactivity.',
      details: { next: 'Sign in again: "az login".' },
    });
  });
});

describe("Entra's refusal", () => {
  const refused = (number: string, words: string) =>
    new AuthenticationError(401, {
      error: 'invalid_client',
      error_description: `AADSTS${number}: ${words} Trace ID: 29d5 Correlation ID: 6217 Timestamp: 2026-11-21 15:03:05Z`,
    });

  it.each([
    ['7000215', 'Invalid client secret provided.', /AZURE_CLIENT_SECRET .*its value, not its id/],
    [
      '7000222',
      'The provided client secret keys for app are expired.',
      /expired: make a new one .*az ad app credential reset/,
    ],
    [
      '700027',
      'Client assertion contains an invalid signature. [Reason - The key used is expired.]',
      /client certificate, or it has expired.*AZURE_CLIENT_CERTIFICATE_PATH/,
    ],
    ['700016', 'Application was not found in the directory.', /AZURE_CLIENT_ID/],
    ['90002', "Tenant 'x' not found.", /AZURE_TENANT_ID/],
    ['50076', 'You must use multi-factor authentication.', /az login/],
    ['424242', 'Something new.', /AZURE_TENANT_ID.*az login/],
  ])('AADSTS%s: its words, without its log’s numbers, and what to do', (number, words, next) => {
    const error = azureError('GET /x', refused(number, words)) as UnderstudyError;
    expect(error.code).toBe('CredentialError');
    expect(error.message).toBe(`GET /x: no token: AADSTS${number}: ${words}`);
    expect(error.details.next).toMatch(next);
  });

  it("is read out of the library's own wrapping of it", () => {
    const wrapped = Object.assign(
      new Error(
        'invalid_client: Error(s): 7000222 - Timestamp: 2026-11-21 15:03:05Z - Description: AADSTS7000222: The keys are expired. Trace ID: 1 - Correlation ID: 2',
      ),
      { name: 'AuthenticationRequiredError' },
    );
    expect(azureError('GET /x', wrapped).message).toBe('GET /x: no token: AADSTS7000222: The keys are expired.');
  });
});

describe("ARM's refusal", () => {
  const refused = (status: number, code: string, message: string) =>
    answerError('GET /x', {
      status,
      bodyAsText: JSON.stringify({ error: { code, message } }),
      headers: { get: () => undefined },
    });

  it('of an identity without the role comes with the command that gives it one', () => {
    const { code, details } = refused(
      403,
      'AuthorizationFailed',
      "The client 'app' with object id 'aa-bb' does not have authorization to perform action 'Microsoft.Storage/storageAccounts/listKeys/action' over scope '/subscriptions/1/resourceGroups/g' or the scope is invalid.",
    );
    expect(code).toBe('AzureError');
    expect(details.next).toContain('"Microsoft.Storage/storageAccounts/listKeys/action"');
    expect(details.next).toContain(
      'az role assignment create --assignee-object-id aa-bb --scope /subscriptions/1/resourceGroups/g',
    );
  });

  it.each([
    [401, 'InvalidAuthenticationTokenTenant', 'CredentialError', /AZURE_TENANT_ID/],
    [401, 'ExpiredAuthenticationToken', 'CredentialError', /clock/],
    [401, 'Unheard', 'CredentialError', /AZURE_CLIENT_SECRET/],
    [403, 'RequestDisallowedByPolicy', 'AzureError', /Policy/],
    [403, 'Unheard', 'AzureError', /role assignment list/],
    [404, 'SubscriptionNotFound', 'AzureError', /subscriptionId/],
  ])('%i %s is %s, and says what to do', (status, code, ours, next) => {
    const error = refused(status, code, 'no');
    expect(error.code).toBe(ours);
    expect(error.details.next).toMatch(next);
  });

  it('of what is simply not there comes without advice: the caller knows better', () => {
    expect(refused(404, 'ResourceNotFound', 'no').details.next).toBeUndefined();
  });
});

describe('a credential', () => {
  const gives = { token: 't', expiresOnTimestamp: 1 };

  function inTurn(...answers: (typeof gives | Error)[]): TokenCredential {
    return {
      getToken: () => {
        const answer = answers.shift();
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? null);
      },
    };
  }

  it('that has worked and then has no token may have one again: it is worth another try', async () => {
    const gone = new CredentialUnavailableError('ManagedIdentityCredential: no managed identity endpoint found');
    const credential = explained(inTurn(gives, gone), { environment: {} });
    await expect(credential.getToken('s')).resolves.toBe(gives);
    await expect(credential.getToken('s')).rejects.toMatchObject({ code: 'AzureUnavailable' });
    const never = explained(inTurn(gone), { environment: {} });
    await expect(never.getToken('s')).rejects.toMatchObject({ code: 'CredentialError' });
  });

  it('that has worked and is then refused is refused', async () => {
    const expired = new AuthenticationError(401, {
      error: 'invalid_client',
      error_description: 'AADSTS7000222: The keys are expired.',
    });
    const credential = explained(inTurn(gives, expired), { environment: {} });
    await credential.getToken('s');
    await expect(credential.getToken('s')).rejects.toMatchObject({ code: 'CredentialError' });
  });

  it('lets pass what is not about signing in', async () => {
    const cancelled = new DOMException('aborted', 'AbortError');
    const credential = explained(inTurn(cancelled), { environment: {} });
    await expect(credential.getToken('s')).rejects.toBe(cancelled);
  });
});
