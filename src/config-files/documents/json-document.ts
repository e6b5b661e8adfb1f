import { parseTree, type Node, type ParseError, type ParseErrorCode } from 'jsonc-parser';
import type { ConfigDocument, ConfigNode, ConfigScalar } from './document.ts';
import { malformedAt } from './document.ts';

/** jsonc-parser's codes are a `const enum`, which is not available with type stripping. */
const reasons: Readonly<Record<number, string>> = {
  1: 'this is no JSON value',
  2: 'this is no JSON number',
  3: 'expected a property name in double quotes',
  4: 'expected a value',
  5: 'expected ":" after the property name',
  6: 'expected "," before this',
  7: 'expected "}"',
  8: 'expected "]"',
  9: 'expected the end of the file',
  10: 'a comment is not allowed here',
  11: 'a comment that is never closed',
  12: 'a string that is never closed',
  13: 'a number that ends too early',
  14: 'a \\u escape without four hexadecimal digits',
  15: 'an escape JSON does not have',
  16: 'a control character inside a string; write it as an escape',
};

function reasonOf(code: ParseErrorCode): string {
  return `malformed JSON: ${reasons[code] ?? `error ${code}`}`;
}

/** Parses JSON with comments and trailing commas. Throws ConfigError at the first error. */
export function parseJsonDocument(file: string, text: string): ConfigDocument {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) throw malformedAt(file, text, first.offset, reasonOf(first.error));
  if (!root) throw malformedAt(file, text, 0, 'malformed JSON: the file is empty');
  const scalars: ConfigScalar[] = [];
  const scalarOf = (node: Node, place: string): ConfigScalar => {
    const start = node.offset;
    const end = node.offset + node.length;
    const scalar: ConfigScalar = {
      kind: 'scalar',
      value: String(node.value),
      start,
      end,
      place,
      write: (value) => ({ start, end, text: JSON.stringify(value) }),
    };
    scalars.push(scalar);
    return scalar;
  };
  const nodeOf = (node: Node, place: string): ConfigNode => {
    const children = node.children ?? [];
    if (node.type === 'string') return scalarOf(node, place);
    if (node.type === 'array') {
      return { kind: 'list', items: children.map((child, index) => nodeOf(child, `${place}[${index}]`)) };
    }
    if (node.type !== 'object') return { kind: 'other', text: text.slice(node.offset, node.offset + node.length) };
    const entries = children.flatMap(({ children: [key, value] = [] }) => {
      if (!key || !value) return [];
      const inner = place === '' ? String(key.value) : `${place}.${String(key.value)}`;
      return [{ key: scalarOf(key, inner), value: nodeOf(value, inner) }];
    });
    return { kind: 'block', entries, merges: [] };
  };
  return { roots: [nodeOf(root, '')], scalars };
}
