/** Functions of the template language. Expected values are those of Azure's documentation unless said otherwise. */

import { describe, expect, it } from 'vitest';
import type { Json } from '../../../simulator/contract/index.ts';
import { groupId, subscriptionId, value } from './harness.ts';

type Case = [expression: string, expected: Json];
function evaluates(cases: Case[]): void {
  it.each(cases)('%s', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });
}

describe('strings', () => {
  evaluates([
    ["[base64('one, two, three')]", 'b25lLCB0d28sIHRocmVl'],
    ["[base64ToString('b25lLCB0d28sIHRocmVl')]", 'one, two, three'],
    ['[base64ToJson(base64(\'{"one": "a"}\'))]', { one: 'a' }],
    ["[concat('prefix-', 1, '-', true())]", 'prefix-1-True'],
    ["[concat(createArray('1-1'), createArray('2-1', '2-2'))]", ['1-1', '2-1', '2-2']],
    ["[contains('OneTwoThree', 'e')]", true],
    ["[contains('OneTwoThree', 'E')]", false],
    ["[contains(createObject('one', 'a'), 'ONE')]", true],
    ["[contains(createArray('one', 'two'), 'two')]", true],
    ["[dataUri('Hello')]", 'data:text/plain;charset=utf8;base64,SGVsbG8='],
    ["[dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')]", 'Hello, World!'],
    ["[endsWith('abcdef', 'EF')]", true],
    ["[startsWith('abcdef', 'AB')]", true],
    ["[startsWith('abcdef', 'e')]", false],
    ["[first('One Two Three')]", 'O'],
    ["[last('One Two Three')]", 'e'],
    ["[first('')]", ''],
    [
      "[format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)]",
      'Hello, User. Formatted number: 8,175,133',
    ],
    ["[format('{0:D3}|{1,5}|{1,-5}|{2}|{{}}', 7, 'ab', true())]", '007|   ab|ab   |True|{}'],
    ["[format('{0:X}-{0:x4}-{1:P0}-{0:000.0}', 255, 1)]", 'FF-00ff-100 %-255.0'],
    ["[indexOf('test', 't')]", 0],
    ["[lastIndexOf('test', 't')]", 3],
    ["[indexOf('abcdef', 'CD')]", 2],
    ["[lastIndexOf('abcdef', 'AB')]", 0],
    ["[indexOf('abcdef', 'z')]", -1],
    ["[padLeft('123', 10, '0')]", '0000000123'],
    ['[padLeft(7, 3)]', '  7'],
    ["[replace('123-123-1234', '-', '')]", '1231231234'],
    ["[replace('a$b', '$', '$&')]", 'a$&b'],
    ["[skip('one two three', 4)]", 'two three'],
    ["[take('one two three', 2)]", 'on'],
    ["[take('one', -1)]", ''],
    ["[split('one;two,three', createArray(',', ';'))]", ['one', 'two', 'three']],
    ["[join(createArray('a', 1), '-')]", 'a-1'],
    ["[string(createObject('valueA', 10, 'valueB', 'Example Text'))]", '{"valueA":10,"valueB":"Example Text"}'],
    ["[string(createArray('a', 'b'))]", '["a","b"]'],
    ['[string(false())]', 'False'],
    ["[substring('one two three', 4, 3)]", 'two'],
    ["[substring('one two three', 4)]", 'two three'],
    ["[toUpper(toLower('One Two'))]", 'ONE TWO'],
    // As .NET has it: character by character.
    ["[toUpper('straße ı')]", 'STRAßE ı'],
    ["[toLower('ΣΑΣ İ')]", 'σασ İ'],
    ["[trim('    one two three   ')]", 'one two three'],
    ["['it''s']", "it's"],
    ["[like('aXbYa', 'a*B*a')]", true],
    ["[like('a', 'b')]", false],
    ['[[not an expression]', '[not an expression]'],
    ['[[no more than a text', '[[no more than a text'],
    ['plain [text]', 'plain [text]'],
  ]);

  it('hashes as Azure does', async () => {
    // Source: values published by people who compared their code with Azure's.
    expect(await value("[uniqueString('tyeth')]")).toBe('zcztcwvu6iyg6');
    expect(await value("[uniqueString('hello', 'world')]")).toBe('a7wkljktk6wne');
    expect(await value("[uniqueString('test')]")).toBe('rbgf3xv4ufgzg');
    // Source: a UUID of version 5 in Azure's namespace, made with another implementation.
    expect(await value("[guid('a', 'b')]")).toBe('2d796349-8c7e-55ec-9624-54ece82ed031');
  });
});

describe('URIs', () => {
  evaluates([
    ["[uri('http://contoso.org/firstpath', 'myscript.sh')]", 'http://contoso.org/myscript.sh'],
    ["[uri('http://contoso.org/firstpath/', 'myscript.sh')]", 'http://contoso.org/firstpath/myscript.sh'],
    [
      "[uri('http://contoso.org/firstpath/azuredeploy.json', 'myscript.sh')]",
      'http://contoso.org/firstpath/myscript.sh',
    ],
    ["[uri('http://contoso.org', 'a.json')]", 'http://contoso.org/a.json'],
    [
      "[uriComponent('http://contoso.com/resources/nested/azuredeploy.json')]",
      'http%3A%2F%2Fcontoso.com%2Fresources%2Fnested%2Fazuredeploy.json',
    ],
    ["[uriComponentToString('http%3A%2F%2Fcontoso.com')]", 'http://contoso.com'],
    ["[uriComponent('a(b)!')]", 'a%28b%29%21'],
  ]);
});

describe('arrays and objects', () => {
  evaluates([
    ["[array('efgh')]", ['efgh']],
    ['[createArray()]', []],
    ["[empty('')]", true],
    ['[empty(createObject())]', true],
    ['[empty(null())]', true],
    ["[length(createObject('a', 1, 'b', 2))]", 2],
    ["[length('One Two Three')]", 13],
    ["[intersection(createArray('one', 'two', 'three'), createArray('two', 'three'))]", ['two', 'three']],
    [
      "[intersection(createObject('one', 'a', 'two', 'b', 'three', 'c'), createObject('one', 'a', 'two', 'z', 'three', 'c'))]",
      { one: 'a', three: 'c' },
    ],
    [
      '[union(json(\'{"property":{"one":"a","two":"b","three":"c1"},"nestedArray":[1,2]}\'), json(\'{"property":{"three":"c2","four":"d","five":"e"},"nestedArray":[3,4]}\'))]',
      { property: { one: 'a', two: 'b', three: 'c2', four: 'd', five: 'e' }, nestedArray: [3, 4] },
    ],
    ["[union(createArray('one', 'two'), createArray('two', 'three'))]", ['one', 'two', 'three']],
    [
      "[shallowMerge(createArray(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2))))]",
      { a: { y: 2 } },
    ],
    ['[range(5, 3)]', [5, 6, 7]],
    ['[min(0, 3, 2, 5, 4)]', 0],
    ['[max(createArray(0, 3, 2, 5, 4))]', 5],
    ["[skip(createArray('one', 'two', 'three'), 2)]", ['three']],
    ["[indexOf(createArray('a', 'B', 'b'), 'b')]", 2],
    ['[lastIndexOf(createArray(1, 2, 1), 1)]', 2],
    ['[distinct(createArray(1, 2, 1))]', [1, 2]],
    // Bicep's `array[^1]`.
    ["[tryGet(createObject('a', createArray(1, 2)), 'a', createObject('value', 1, 'fromEnd', true()))]", 2],
    // Azure's parser takes single quotes, comments and names without quotes.
    ["[json('{''one'': ''a'', two: [1, /* x */ 2,], }')]", { one: 'a', two: [1, 2] }],
    ['[flatten(createArray(createArray(1, 2), createArray(3)))]', [1, 2, 3]],
    ['[indexFromEnd(createArray(1, 2, 3), 1)]', 3],
    ['[tryIndexFromEnd(createArray(1, 2, 3), 4)]', null],
    [
      "[items(createObject('item002', 2, 'item001', 1))]",
      [
        { key: 'item001', value: 1 },
        { key: 'item002', value: 2 },
      ],
    ],
    ["[objectKeys(createObject('b', 1, 'a', 2))]", ['a', 'b']],
    ["[string(createObject('__proto__', 1, 'b', 2))]", '{"__proto__":1,"b":2}'],
    ["[string(union(createObject('__proto__', 1), createObject('b', 2)))]", '{"__proto__":1,"b":2}'],
    ["[tryGet(createObject('a', createArray(1, 2)), 'a', 1)]", 2],
    ["[tryGet(createObject('a', 1), 'b', 'c')]", null],
    ['[json(\'{"a":[1,true,null]}\').a[1]]', true],
    ["[createObject('Key', 'v').key]", 'v'],
    ["[createObject('a-b', 'v')['a-b']]", 'v'],
  ]);
});

describe('lambdas', () => {
  const dogs =
    "createArray(createObject('name','Evie','age',5),createObject('name','Casper','age',3),createObject('name','Indy','age',2),createObject('name','Kira','age',8))";
  evaluates([
    [
      `[map(${dogs}, lambda('dog', format('Hello {0}!', lambdaVariables('dog').name)))]`,
      ['Hello Evie!', 'Hello Casper!', 'Hello Indy!', 'Hello Kira!'],
    ],
    [
      `[map(filter(${dogs}, lambda('dog', greaterOrEquals(lambdaVariables('dog').age, 5))), lambda('d', lambdaVariables('d').name))]`,
      ['Evie', 'Kira'],
    ],
    [
      `[map(sort(${dogs}, lambda('a', 'b', less(lambdaVariables('a').age, lambdaVariables('b').age))), lambda('d', lambdaVariables('d').age))]`,
      [2, 3, 5, 8],
    ],
    [
      `[reduce(map(${dogs}, lambda('d', lambdaVariables('d').age)), 1, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))]`,
      19,
    ],
    [
      `[toObject(${dogs}, lambda('e', lambdaVariables('e').name), lambda('e', lambdaVariables('e').age))]`,
      { Evie: 5, Casper: 3, Indy: 2, Kira: 8 },
    ],
    [
      "[groupBy(createArray('foo','bar','baz'), lambda('x', substring(lambdaVariables('x'), 0, 1)))]",
      { f: ['foo'], b: ['bar', 'baz'] },
    ],
    ["[mapValues(createObject('foo', 'foo'), lambda('v', toUpper(lambdaVariables('v'))))]", { foo: 'FOO' }],
    [
      "[map(createArray('a','b'), lambda('x', 'i', format('{0}{1}', lambdaVariables('x'), lambdaVariables('i'))))]",
      ['a0', 'b1'],
    ],
    [
      "[map(range(0, 2), lambda('i', map(range(0, 2), lambda('j', add(mul(lambdaVariables('i'), 2), lambdaVariables('j'))))))]",
      [
        [0, 1],
        [2, 3],
      ],
    ],
  ]);
});

describe('logic, comparison and numbers', () => {
  evaluates([
    ["[and(bool('true'), bool(1))]", true],
    ["[or(bool('false'), bool(0))]", false],
    ['[not(equals(1, 2))]', true],
    ["[if(equals('a', 'a'), 'yes', json('{broken'))]", 'yes'],
    ["[coalesce(null(), null(), 'default')]", 'default'],
    ["[equals('a', 'A')]", false],
    ["[equals(createObject('a', 1, 'b', createArray(1)), createObject('b', createArray(1), 'a', 1))]", true],
    ["[greater('A', 'a')]", true],
    ["[less('A', 'a')]", false],
    ["[less('a', 'B')]", true],
    ['[lessOrEquals(2, 2)]', true],
    ['[div(8, 3)]', 2],
    ['[div(-8, 3)]', -2],
    ['[mod(7, 3)]', 1],
    ["[add(int('4'), sub(7, 3))]", 8],
    ["[float('3.14')]", 3.14],
    ["[int('-9223372036854775808')]", -(2 ** 63)],
  ]);
});

describe('resources and the deployment', () => {
  evaluates([
    [
      "[resourceId('Microsoft.Storage/storageAccounts', 'x')]",
      `${groupId}/providers/Microsoft.Storage/storageAccounts/x`,
    ],
    [
      "[resourceId('other', 'A.B/c/d', 'x', 'y')]",
      `/subscriptions/${subscriptionId}/resourceGroups/other/providers/A.B/c/x/d/y`,
    ],
    [
      "[resourceId('11111111-1111-1111-1111-111111111111', 'other', 'A.B/c', 'x')]",
      '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/other/providers/A.B/c/x',
    ],
    [
      "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
      `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/r`,
    ],
    [
      "[tenantResourceId('Microsoft.Authorization/policyDefinitions', 'p')]",
      '/providers/Microsoft.Authorization/policyDefinitions/p',
    ],
    [
      "[extensionResourceId(resourceId('A.B/c', 'x'), 'Microsoft.Authorization/locks', 'l')]",
      `${groupId}/providers/A.B/c/x/providers/Microsoft.Authorization/locks/l`,
    ],
    ['[resourceGroup().location]', 'eastus'],
    ['[resourceGroup().tags.team]', 'ml'],
    ['[resourceGroup().id]', groupId],
    ['[subscription().subscriptionId]', subscriptionId],
    ['[tenant().tenantId]', '11111111-2222-3333-4444-555555555555'],
    ['[deployment().name]', 'main'],
    ['[environment().suffixes.storage]', 'core.windows.net'],
    ["[pickZones('Microsoft.Compute', 'virtualMachines', 'westus2')]", ['1']],
    ["[pickZones('Microsoft.Compute', 'virtualMachines', 'East US', 2, 1)]", ['2', '3']],
    ["[pickZones('Microsoft.Compute', 'virtualMachines', 'westus')]", []],
  ]);
});
