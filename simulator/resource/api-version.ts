/**
 * API versions. The local Azure takes any that Azure could have, and answers with all fields that it holds; one from
 * before there was a Resource Manager, or of a day to come, is a mistake, and refused as Azure refuses it.
 */

import { ArmError, type Cloud } from '../contract/index.ts';

/** For clients that choose one from a list. */
export const LISTED_VERSIONS = ['2025-04-01', '2024-04-01', '2024-03-01', '2023-04-01', '2022-10-01', '2021-04-01'];
const FIRST = '2014-01-01';

/** Is this a date of the calendar, and maybe a suffix? */
export function isVersion(text: string): boolean {
  const { date = '' } = /^(?<date>\d{4}-\d\d-\d\d)(-[a-z0-9.]+)?$/i.exec(text)?.groups ?? {};
  const time = Date.parse(`${date}T00:00:00Z`);
  // The 30th of February would be read as a day of March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

/** Throws ArmError 400 `NoRegisteredProviderFound`, or of ARM's own types `InvalidApiVersionParameter`. */
export function requireVersion(cloud: Cloud, type: string, apiVersion: string, location = ''): void {
  const date = apiVersion.slice(0, 10);
  const today = new Date(cloud.clock.now()).toISOString().slice(0, 10);
  if (isVersion(apiVersion) && date >= FIRST && date <= today) return;
  const [namespace = '', ...segments] = type.split('/');
  if (namespace.toLowerCase() === 'microsoft.resources')
    throw new ArmError(
      400,
      'InvalidApiVersionParameter',
      `The api-version '${apiVersion}' is invalid. The supported versions are '${LISTED_VERSIONS.join(',')}'.`,
    );
  throw new ArmError(
    400,
    'NoRegisteredProviderFound',
    `No registered resource provider found for location '${location}' and API version '${apiVersion}' for type '${segments.join('/')}'. The supported api-versions are '${LISTED_VERSIONS.join(', ')}'. The supported locations are '${cloud.regions.join(', ')}'.`,
  );
}
