import { describe, expect, it } from 'vitest';
import { parseLenientJson } from '../../../simulator/http/lenient-json.ts';

describe('lenient JSON', () => {
  it('reads what ARM reads: comments, unquoted names, other quotes, several lines, trailing commas', () => {
    const text = `{ // a file
      template: { 'single': 'it\\'s', "double": "a\\u00e9\\n", /* here */ list: [1, -2.5e3, true, null,], },
      "lines": "one
two" }`;
    expect(parseLenientJson(text)).toEqual({
      template: { single: "it's", double: 'aé\n', list: [1, -2500, true, null] },
      lines: 'one\ntwo',
    });
  });

  it('agrees with the strict parser on strict JSON', () => {
    for (const text of [
      '{}',
      '[]',
      '""',
      '0',
      '-0.5',
      '{"a":{"b":[{"c":"\\"\\\\/\\t"}]}}',
      '{"__proto__":1}',
      ' [ 1 , 2 ] ',
    ]) {
      expect(parseLenientJson(text)).toEqual(JSON.parse(text));
    }
  });

  it('says where it stopped', () => {
    const cases: [string, string][] = [
      ['{"a": }', "expected a value, got '}' (line 1, column 7)"],
      ['{\n"a": 1 "b": 2}', "expected ',' or '}', got '\"b\": 2}' (line 2, column 8)"],
      ['[1 2]', "expected ',' or ']', got '2]' (line 1, column 4)"],
      ['{"a": "b', 'expected the end of the string, ", got the end (line 1, column 9)'],
      ['{} x', "expected the end, got 'x' (line 1, column 4)"],
      ['nothing', 'expected a value'],
      ['', 'expected a value, got the end'],
    ];
    for (const [text, message] of cases) expect(() => parseLenientJson(text), text).toThrow(message);
    expect(() => parseLenientJson('['.repeat(10_000))).toThrow('no more than 200 levels');
  });
});
