/** The refusals of Azure Machine Learning, in its own codes and, where they are public, its own words. */

import { ArmError } from '../../contract/index.ts';

/** What Azure Machine Learning answers to nearly everything that the user could have known. */
export function userError(message: string, target?: string): ArmError {
  return new ArmError(400, 'UserError', message, target === undefined ? {} : { target });
}

/** A body that does not fit the API: a missing or malformed field. */
export function validationError(message: string, target?: string): ArmError {
  return new ArmError(400, 'ValidationError', message, target === undefined ? {} : { target });
}

export function notFound(message: string): ArmError {
  return new ArmError(404, 'UserError', message);
}

export function conflict(message: string): ArmError {
  return new ArmError(409, 'Conflict', message);
}

/** Throws unless `name` fits; `rule` says in words what fits. */
export function requireName(kind: string, name: string, pattern: RegExp, rule: string): void {
  if (!pattern.test(name)) throw validationError(`The ${kind} name "${name}" is invalid: ${rule}.`, 'name');
}
