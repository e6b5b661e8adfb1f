/** If-Match and If-None-Match. */

import { ArmError, type Stored } from '../contract/index.ts';

/** Throws ArmError 412 `PreconditionFailed` if the conditions of the request do not hold for what exists. */
export function requireConditions(headers: Record<string, string>, existing: Stored | undefined): void {
  const match = headers['if-match'];
  if (match !== undefined && !(existing && (match === '*' || listed(match, existing.etag)))) {
    throw failed(`If-Match: ${match}`, existing);
  }
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined && existing && (noneMatch === '*' || listed(noneMatch, existing.etag))) {
    throw failed(`If-None-Match: ${noneMatch}`, existing);
  }
}

function listed(header: string, etag: string): boolean {
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}

function failed(condition: string, existing: Stored | undefined): ArmError {
  const now = existing ? `its etag is ${existing.etag}` : 'the resource does not exist';
  return new ArmError(412, 'PreconditionFailed', `The condition '${condition}' is not satisfied: ${now}.`);
}
