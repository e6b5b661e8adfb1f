import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { keyMeaning } from '../../src/config-files/key-roles.ts';

const page = await readFile(new URL('../../docs/config-files.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \| (\w+) \|$/gm)];
const documented = rows.flatMap(([, keys = '', role = '']) =>
  [...keys.matchAll(/`([A-Z_]+)`/g)].map(([, key = '']): [string, string] => [key, role]),
);
const prefixes = [...(/may start with ([^.]+)\./.exec(page)?.[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(
  ([, prefix = '']) => prefix,
);

describe('the table of keys', () => {
  it('is read from the page', () => {
    expect(documented).toHaveLength(20);
    expect(prefixes).toHaveLength(7);
  });

  it.each(documented)('%s means what docs/config-files.md says: %s', (key, role) => {
    for (const prefix of ['', ...prefixes]) expect(keyMeaning(prefix + key)).toMatchObject({ role, family: prefix });
    expect(keyMeaning(`APP_${key}`)).toBeUndefined();
    expect(keyMeaning(`${key}_X`)).toBeUndefined();
  });

  it.each(['subscriptionId', 'subscription-id', 'subscription_id', 'Subscription ID', 'azuremlSubscriptionId'])(
    'takes %s for one key',
    (key) => {
      expect(keyMeaning(key)?.role).toBe('subscription');
    },
  );
});
