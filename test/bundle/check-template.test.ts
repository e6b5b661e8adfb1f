/** What ARM would refuse of a template's parameters in the middle of a failover is refused before it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkTemplate } from '../../src/bundle/check-template.ts';

const root = join(import.meta.dirname, '..', '..');
const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, unknown>;

const region = {
  name: 'westus3',
  workspace: { subscriptionId: '1111', resourceGroup: 'ml-west', name: 'fraud-west' },
};

/** What is wrong with `value` for a parameter declared so. */
function wrong(declared: object, value?: unknown): string[] {
  const parameters = value === undefined ? {} : { it: { value } };
  return checkTemplate(region, {
    template: { parameters: { it: declared }, resources: [] },
    parameters,
  }).map(({ message }) => message);
}

describe('the example', () => {
  const template = json('templates/workspace.json');
  const parametersOf = (name: string) =>
    json(`examples/fraud-ml/parameters/${name}.json`).parameters as Record<string, { value: unknown }>;

  it('has nothing wrong', () => {
    expect(checkTemplate(region, { template, parameters: parametersOf('westus3') })).toEqual([]);
  });

  it('with the parameters of the other region would build its workspace again', () => {
    expect(checkTemplate(region, { template, parameters: parametersOf('eastus') })).toEqual([
      {
        of: 'parameters',
        message:
          'with these the template builds a workspace whose name is "fraud-east"; the topology says "fraud-west"',
      },
      {
        of: 'parameters',
        message: 'with these the template builds a workspace whose location is "eastus"; the topology says "westus3"',
      },
    ]);
  });

  it('may spell its region as the portal does, and its parameters in any case', () => {
    const { workspaceName, location: _, ...rest } = parametersOf('westus3');
    const parameters = { ...rest, WORKSPACENAME: workspaceName, Location: { value: 'West US 3' } };
    expect(checkTemplate(region, { template, parameters })).toEqual([]);
  });

  it('without a name it needs, or with one nobody knows, says which', () => {
    const { workspaceName: _, ...parameters } = parametersOf('westus3');
    const found = checkTemplate(region, { template, parameters: { ...parameters, profile: { value: 'x' } } });
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^profile: the template has no such parameter; it has location, workspaceName, /),
      'workspaceName: missing: the template has no default for it; expected a value of type string',
    ]);
  });
});

describe('resources that wait for each other', () => {
  it('are refused, with the circle', () => {
    const template = {
      parameters: { sku: { type: 'string' } },
      resources: { a: { type: 'A.B/c', dependsOn: ['b'] }, b: { type: 'A.B/c', dependsOn: ['a'] } },
    };
    const messages = checkTemplate(region, { template, parameters: {} }).map(({ of, message }) => [of, message]);
    expect(messages).toEqual([
      ['file', 'dependsOn: expected an order in which resources can be made, got a circle: a → b → a'],
      ['parameters', expect.stringContaining('sku: missing')],
    ]);
  });
});

describe('a parameter', () => {
  it.each([
    [{ type: 'string' }, 5, 'expected a value of type string, got 5'],
    [{ type: 'int' }, 1.5, 'expected a value of type int, got 1.5'],
    [{ type: 'bool' }, 'true', 'expected a value of type bool, got "true"'],
    [{ type: 'object' }, ['a'], 'expected a value of type object, got a list of 1'],
    [{ type: 'Array' }, {}, 'expected a value of type Array, got an object with no keys'],
    [{ type: 'string', allowedValues: ['a', 'b'] }, 'c', 'expected one of "a", "b", got "c"'],
    [{ type: 'string', minLength: 3, maxLength: 5 }, 'ab', 'expected 3 to 5 characters, got 2'],
    [{ type: 'array', minLength: 2 }, [1], 'expected at least 2 items, got 1'],
    [{ type: 'int', minValue: 1, maxValue: 4 }, 5, 'expected 1 to 4, got 5'],
    [{ type: 'string' }, undefined, 'missing: the template has no default for it; expected a value of type string'],
  ])('%j with %j is refused', (declared, value, message) => {
    expect(wrong(declared, value)).toEqual([`it: ${message}`]);
  });

  it('that is a secret is not shown', () => {
    expect(wrong({ type: 'secureString', allowedValues: ['a'] }, 'hunter2').join('\n')).not.toContain('hunter2');
  });

  it.each([
    [{ type: 'string', defaultValue: '' }, undefined],
    [{ type: 'string', nullable: true }, undefined],
    [{ $ref: '#/definitions/sku' }, { any: 'thing' }],
    [{ type: 'int', minValue: 1 }, 1],
  ])('%j with %j is taken', (declared, value) => {
    expect(wrong(declared, value)).toEqual([]);
  });

  it('may come from a key vault, unseen', () => {
    const found = checkTemplate(region, {
      template: { parameters: { it: { type: 'secureString' } }, resources: {} },
      parameters: { it: { reference: { keyVault: { id: '/…' }, secretName: 's' } } },
    });
    expect(found).toEqual([]);
  });
});

describe('a file that is something else', () => {
  it.each([[[1]], ['text'], [null], [{ a: 1 }], [{ parameters: {} }]])('is no template: %j', (template) => {
    expect(checkTemplate(region, { template, parameters: {} })).toEqual([
      { of: 'file', message: expect.stringContaining('expected an ARM template') },
    ]);
  });

  it.each([[[1]], ['text'], [null], [{ location: 'westus3' }]])('has no parameters: %j', (parameters) => {
    const template = { parameters: { location: { type: 'string' } }, resources: [] };
    expect(checkTemplate(region, { template, parameters })).toEqual([
      { of: 'parameters', message: expect.stringMatching(/^(location: )?expected /) },
    ]);
  });

  it('is left to ARM where only ARM can tell', () => {
    const template = {
      resources: [
        {
          type: 'Microsoft.MachineLearningServices/workspaces',
          name: "[format('{0}-{1}', 'fraud', uniqueString(resourceGroup().id))]",
          location: '[resourceGroup().location]',
        },
      ],
    };
    expect(checkTemplate(region, { template, parameters: {} })).toEqual([]);
  });
});
