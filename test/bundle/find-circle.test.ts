/** Resources that wait for each other, in each way that templates write it; and what only looks so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCircle } from '../../src/bundle/find-circle.ts';

const storage = 'Microsoft.Storage/storageAccounts';
const service = `${storage}/blobServices`;
const on = (...dependsOn: string[]) => ({ type: storage, dependsOn });

describe('a circle', () => {
  it.each([
    ['by symbolic names', { a: on('b'), b: on('c'), c: on('a') }, ['a', 'b', 'c', 'a']],
    ['of one with itself', { a: on('a') }, ['a', 'a']],
    [
      'by resource ids',
      [
        { type: storage, name: 'one', dependsOn: [`[resourceId('${storage}', 'two')]`] },
        { type: storage, name: 'two', dependsOn: [`[resourceId('${storage}','ONE')]`] },
      ],
      ['one', 'two', 'one'],
    ],
    [
      'by what a parameter names, as Bicep compiles a resource within another',
      [
        {
          type: storage,
          name: "[parameters('name')]",
          dependsOn: [`[resourceId('${service}', parameters('name'), 'default')]`],
        },
        {
          type: service,
          name: "[format('{0}/{1}', parameters('name'), 'default')]",
          dependsOn: [`[resourceId('${storage}', parameters('name'))]`],
        },
      ],
      ["[parameters('name')]", "[format('{0}/{1}', parameters('name'), 'default')]", "[parameters('name')]"],
    ],
    [
      'in a nested deployment',
      [
        {
          type: 'Microsoft.Resources/deployments',
          name: 'inner',
          properties: { template: { resources: { a: on('b'), b: on('a') } } },
        },
      ],
      ['a', 'b', 'a'],
    ],
  ])('%s is found', (_what, resources, circle) => {
    expect(findCircle(resources)).toEqual(circle);
  });
});

describe('no circle', () => {
  it.each([
    ['a diamond', { a: on(), b: on('a'), c: on('a'), d: on('b', 'c') }],
    ['a circle of what may not be deployed', { a: { ...on('b'), condition: "[parameters('x')]" }, b: on('a') }],
    [
      'what is not in the template',
      [{ type: storage, name: 'one', dependsOn: ["[resourceId('A.B/c', 'gone')]", 'one-of-a-loop'] }],
    ],
    [
      'one name of two types',
      [
        { type: storage, name: 'same', dependsOn: ["[resourceId('A.B/c', 'same')]"] },
        { type: 'A.B/c', name: 'same' },
      ],
    ],
    ['nothing', undefined],
  ])('is %s', (_what, resources) => {
    expect(findCircle(resources)).toBeUndefined();
  });

  it.each(['workspace', 'control-store', 'front-door'])('is in our own template %s', (name) => {
    const file = join(import.meta.dirname, '../../templates', `${name}.json`);
    const { resources } = JSON.parse(readFileSync(file, 'utf8')) as { resources: unknown };
    expect(findCircle(resources)).toBeUndefined();
  });
});
