/** What an assignment may say of its principal, its role's scopes and its condition. */

import { textOf } from '../resource/fields.ts';
import { ArmError, type Cloud, type JsonObject } from '../contract/index.ts';
import { assignableScopesOf, covers } from './access.ts';
import { parseCondition } from './condition-language.ts';

/** All principals of this cloud are applications or managed identities. */
export function requireType(principalId: string, { principalType }: JsonObject): void {
  if (principalType === 'ServicePrincipal') return;
  throw new ArmError(
    400,
    'UnmatchedPrincipalType',
    `The PrincipalId '${principalId.replaceAll('-', '')}' has type 'ServicePrincipal', which is different from specified PrincipalType '${textOf(principalType)}'.`,
  );
}

/** Outside of its assignable scopes a custom role is not there. */
export function requireAssignable(cloud: Cloud, role: string, scope: string): void {
  const scopes = assignableScopesOf(cloud, role);
  const at = scope.toLowerCase();
  if (scopes.some((one) => covers(one.toLowerCase().replace(/\/+$/, ''), at))) return;
  throw new ArmError(
    400,
    'RoleDefinitionDoesNotExist',
    `The specified role definition with ID '${role}' does not exist at the scope '${scope}': its assignable scopes are '${scopes.join("', '")}'.`,
  );
}

/** The condition as it is kept. Throws ArmError 400 for what is none in the language of version 2.0. */
export function conditionOf({ condition, conditionVersion }: JsonObject): JsonObject {
  const none = { condition: null, conditionVersion: null };
  if (condition === undefined || condition === null || condition === '') return none;
  const refuse = (reason: string): never => {
    throw new ArmError(
      400,
      'InvalidRoleAssignmentCondition',
      `The given role assignment condition is invalid: ${reason}.`,
    );
  };
  if (typeof condition !== 'string') return refuse('it is not a text');
  const version = conditionVersion ?? '2.0';
  if (version !== '2.0') return refuse(`conditionVersion must be '2.0', got '${textOf(version)}'`);
  try {
    parseCondition(condition);
  } catch (error) {
    return refuse((error as Error).message);
  }
  return { condition, conditionVersion: version };
}
