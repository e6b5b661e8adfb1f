/** Expressions that are refused: what is said, and where. */

import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/provider.ts';
import { account, failure, plan, value } from './harness.ts';

describe('what is wrong is said, and where', () => {
  it.each([
    ["[foo('x')]", "The template function 'foo' is not valid."],
    ['[contoso.foo()]', "The template function 'contoso.foo' is not valid."],
    [
      "[concat('a']",
      "Unable to parse language expression 'concat('a'': expected token 'Comma' and actual 'EndOfData'.",
    ],
    ["[concat('a' ?)]", "the string character '?' at position '11' is not expected"],
    [
      '[toLower(1)]',
      "The template language function 'toLower' expects its parameter to be of type 'String'. The provided value is of type 'Integer'.",
    ],
    ["[padLeft('x')]", 'function requires 2 to 3 argument(s) while 1 were provided'],
    [
      "[substring('1234567890', 0, 11)]",
      "The index parameter: '0', the length parameter: '11', the length of the string parameter: '10'.",
    ],
    [
      "[createObject('a', 1).b]",
      "The language expression property 'b' doesn't exist, available properties are 'a'.",
    ],
    ['[createArray(1)[3]]', "The language expression property array index '3' is out of bounds"],
    ["[parameters('none')]", "The template parameter 'none' is not found."],
    ["[variables('none')]", "The template variable 'none' is not found."],
    ["[concat('a', createArray())]", 'Either all or none of the parameters must be an array.'],
    ['[div(1, 0)]', 'attempted to divide by zero'],
    ['[utcNow()]', "The template function 'utcNow' is not expected at this location."],
    ['[newGuid()]', "The template function 'newGuid' is not expected at this location."],
    ['[copyIndex()]', "The template function 'copyIndex' is not expected at this location"],
    ["[resourceId('A.B/c', 'x', 'y')]", "the type 'A.B/c' requires '1' resource name argument(s)"],
    ["[json('{')]", 'cannot be converted to JSON'],
    ["[format('{1}', 'x')]", 'Index (zero based) must be greater than or equal to zero'],
    [
      "[reference('none')]",
      "The template reference 'none' is not valid: could not find template resource or resource copy with this name.",
    ],
    ["[less(1, 'a')]", "The provided types are 'Integer' and 'String'"],
    ["[fail('no way')]", 'no way'],
    ["[cidrSubnet('10.0.0.0/20', 16, 0)]", 'has no subnet /16 with index 0'],
    ["[filter(createArray(1), 'x')]", 'expects a lambda function'],
  ])('%s', async (expression, message) => {
    const said = await failure(async () => value(expression));
    expect(said).toContain('InvalidTemplate');
    expect(said).toContain("for output 'o' at '/outputs/o/value/v'");
    expect(said).toContain(message);
  });
});

describe('a template deeper than the stack', () => {
  let deep: Json = 'x';
  for (let level = 0; level < 20_000; level += 1) deep = { a: deep };

  it.each([
    ['body', { resources: [account('a', { properties: deep })] }],
    ['output', { outputs: { o: { type: 'object', value: deep } } }],
    ['default', { parameters: { p: { type: 'object', defaultValue: deep } } }],
  ] as [string, JsonObject][])('in a %s is refused', async (_, parts) => {
    expect(await failure(() => plan(parts))).toMatch(/^InvalidTemplate: .*too deep/);
  });
});
