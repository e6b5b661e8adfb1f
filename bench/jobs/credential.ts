/** A credential that anything takes which does not look at it. */
import type { TokenCredential } from '@azure/core-auth';

export const credential: TokenCredential = {
  getToken: () => Promise.resolve({ token: 'bench', expiresOnTimestamp: Date.now() + 30 * 24 * 3_600_000 }),
};
