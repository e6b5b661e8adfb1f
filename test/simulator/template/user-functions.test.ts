/** User-defined functions: what they see, and what is refused whether they are called or not. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { failure, plan, value } from './harness.ts';

/** The function `contoso.f` with this output, and another beside it. */
function functions(output: string, more: JsonObject = {}): JsonObject[] {
  const parameters = [{ name: 'prefix', type: 'string' }];
  const members = {
    f: { parameters, output: { type: 'string', value: output }, ...more },
    suffix: { output: { type: 'string', value: 'x' } },
  };
  return [{ namespace: 'contoso', members }];
}

const said = async (output: string, more: JsonObject = {}): Promise<string> =>
  failure(() => plan({ functions: functions(output, more) }));

describe('user-defined functions', () => {
  it('see their own parameters, whatever the case', async () => {
    const own = functions("[concat(toLower(parameters('PREFIX')), '-', resourceGroup().name)]");
    expect(await value("[Contoso.F('ABC')]", { functions: own })).toBe('abc-rg');
    const wrong = (): unknown => plan({ functions: own, variables: { v: '[contoso.f()]' } });
    expect(await failure(wrong)).toContain('requires 1 argument(s) while 0 were provided');
  });

  it.each([
    ["[reference(parameters('prefix'), '2023-01-01').primaryEndpoints]", 'reference'],
    ["[first(listKeys('x', '2023-01-01').keys)]", 'listKeys'],
    ["[variables('v')]", 'variables'],
    ['[contoso.suffix()]', 'contoso.suffix'],
    ["[if(true(), variables('v'), references('x'))]", 'variables, references'],
  ])('do not know %s', async (output, call) => {
    expect((await said(output)).replace(/at line '1' and column '\d+'/, 'HERE')).toBe(
      `InvalidTemplate: Deployment template validation failed: 'The template function 'f' HERE is not valid. These function calls are not supported in a function definition: '${call}'. Please see https://aka.ms/arm-syntax-functions for usage details.'.`,
    );
  });

  it('call each other from language version 2.0 on, as compilers write them', async () => {
    const parts = { languageVersion: '2.0', resources: {} };
    const own = functions("[concat(parameters('prefix'), contoso.suffix())]");
    expect(await value("[contoso.f('a')]", { ...parts, functions: own })).toBe('ax');
  });

  it.each<[string, string, JsonObject, string]>([
    ['a parameter of the template', "[parameters('p')]", {}, "The template parameter 'p' is not found."],
    ['a function that there is not', '[nothing()]', {}, "The template function 'nothing' is not valid."],
    ['an expression that cannot be read', '[concat(]', {}, "Unable to parse language expression 'concat('"],
    [
      'a default value',
      'x',
      { parameters: [{ name: 'p', type: 'string', defaultValue: 'a' }] },
      "its parameter 'p' cannot have a default value",
    ],
    [
      'a type that there is not',
      'x',
      { parameters: [{ name: 'p', type: 'text' }] },
      "The type 'text' at line '1' and column",
    ],
  ])('are refused for %s, though nobody calls them', async (_, output, more, problem) => {
    const message = await said(output, more);
    expect(message).toMatch(/^InvalidTemplate: /);
    expect(message).toContain(problem);
  });
});
