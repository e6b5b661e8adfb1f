/** Secrets of key vaults that a deployment's parameters name. */

import { isObject } from '../resource/fields.ts';
import { ArmError, type Cloud, type JsonObject } from '../contract/index.ts';
import { secretValue } from '../keyvault/versions.ts';

const DETAILS = 'Please see https://aka.ms/arm-keyvault for usage details.';

/**
 * Reads every secret that `parameters` name, used or not. Throws ArmError 400 `KeyVaultParameterReference…`, or
 * `MultipleErrorsOccurred` with them as its details.
 */
export function requireSecrets(cloud: Cloud, parameters: JsonObject): void {
  const failed: ArmError[] = [];
  for (const [name, given] of Object.entries(parameters)) {
    const reference = isObject(given) ? given.reference : undefined;
    const vault = isObject(reference) ? reference.keyVault : undefined;
    // What is not a reference at all, the template language refuses.
    if (!isObject(reference) || !isObject(vault)) continue;
    const { secretName, secretVersion } = reference;
    if (typeof vault.id !== 'string' || typeof secretName !== 'string') continue;
    const version = typeof secretVersion === 'string' ? secretVersion : undefined;
    try {
      vaultSecret(cloud, vault.id, secretName, version, name);
    } catch (error) {
      if (!(error instanceof ArmError)) throw error;
      failed.push(error);
    }
  }
  const [only, ...others] = failed;
  if (only === undefined) return;
  if (others.length === 0) throw only;
  const statuses = failed.map(({ code }) => (code.endsWith('AuthorizationFailed') ? 'Forbidden' : 'NotFound'));
  throw new ArmError(
    400,
    'MultipleErrorsOccurred',
    `Multiple error occurred: ${statuses.join(',')}. Please see details.`,
    {
      details: failed.map(({ code, message }) => ({ code, message })),
    },
  );
}

/**
 * The value of a secret. Throws ArmError `KeyVaultParameterReference…`; `parameter`: who names it, if that is known.
 */
export function vaultSecret(
  cloud: Cloud,
  vaultId: string,
  name: string,
  version: string | undefined,
  parameter = name,
): string {
  const vault = cloud.store.get(vaultId);
  if (!vault)
    throw new ArmError(
      400,
      'KeyVaultParameterReferenceNotFound',
      `The specified KeyVault '${vaultId}' could not be found. ${DETAILS}`,
    );
  if (vault.resource.properties.enabledForTemplateDeployment !== true) {
    throw new ArmError(
      403,
      'KeyVaultParameterReferenceAuthorizationFailed',
      `The specified KeyVault '${vaultId}' is not enabled for template deployment. ${DETAILS}`,
    );
  }
  const secret = cloud.store.get(`${vaultId}/secrets/${name}`);
  const value = secret && secretValue(secret, version);
  if (value !== undefined) return value;
  throw new ArmError(
    400,
    'KeyVaultParameterReferenceSecretRetrieveFailed',
    `The secret of KeyVault parameter '${parameter}' cannot be retrieved. Http status code: 'NotFound'. Error message: 'A secret with (name/id) ${version === undefined ? name : `${name}/${version}`} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182'. ${DETAILS}`,
  );
}
