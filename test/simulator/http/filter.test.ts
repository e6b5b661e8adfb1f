/** `$filter` of lists: which resources each lets through. */

import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../../simulator/resource/filter.ts';
import { ArmError, type JsonObject, type Stored } from '../../../simulator/contract/index.ts';

const GROUP = '/subscriptions/s/resourceGroups';

function stored(group: string, name: string, more: JsonObject = {}): Stored {
  const type = 'Microsoft.Storage/storageAccounts';
  const id = `${GROUP}/${group}/providers/${type}/${name}`;
  const resource = { id, name, type, location: 'eastus', properties: {}, ...more };
  return { resource, hidden: {}, etag: '', region: 'eastus', createdAt: 0, changedAt: 0 };
}

const all = [
  stored('one', 'alpha', { tags: { env: 'prod', owner: 'dev' } }),
  stored('one', 'beta', { tags: { env: 'dev' }, identity: { type: 'SystemAssigned', principalId: 'p1' } }),
  stored('two', "o'hara", { location: 'westus3', plan: { publisher: 'acme' } }),
];
const named = (filter: string): string[] => all.filter(parseFilter(filter)).map(({ resource }) => resource.name);

describe('a filter of resources', () => {
  it.each([
    ["name eq 'alpha' or name eq 'beta'", ['alpha', 'beta']],
    ["resourceGroup eq 'ONE' and name ne 'alpha'", ['beta']],
    ["location eq 'westus3' or resourceGroup eq 'one' and name eq 'beta'", ['beta', "o'hara"]],
    ["(location eq 'westus3' or resourceGroup eq 'one') and (name eq 'beta')", ['beta']],
    ["name eq 'o''hara'", ["o'hara"]],
    ["substringof('A', name) and startswith(name, 'al')", ['alpha']],
    ["tagName eq 'env' and tagValue eq 'dev'", ['beta']],
    ["startswith(tagName, 'own')", ['alpha']],
    ["identity/principalId eq 'p1'", ['beta']],
    ["plan/publisher eq 'acme'", ["o'hara"]],
  ])('%s', (filter, names) => {
    expect(named(filter)).toEqual(names);
  });

  it.each(["color eq 'red'", '((', "name eq 'a' and", 'name', "(name eq 'a'", "constructor eq 'x'"])(
    'is refused: %s',
    (filter) => {
      expect(() => parseFilter(filter)).toThrow(ArmError);
    },
  );
});
