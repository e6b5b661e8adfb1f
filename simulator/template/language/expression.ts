/** The syntax of `[…]` expressions: text to tree and back. */

import { SyntaxFault } from './language-error.ts';

export type Expression =
  | { kind: 'literal'; value: string | number }
  /** A user-defined function has its namespace in the name: 'contoso.uniqueName'. */
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'property'; of: Expression; name: string }
  | { kind: 'index'; of: Expression; index: Expression };

type TokenKind =
  | 'Identifier'
  | 'Integer'
  | 'StringLiteral'
  | 'LeftParenthesis'
  | 'RightParenthesis'
  | 'LeftSquareBracket'
  | 'RightSquareBracket'
  | 'Comma'
  | 'Dot'
  | 'EndOfData';
interface Token {
  kind: TokenKind;
  text: string;
}

const PUNCTUATION: Record<string, TokenKind> = {
  '(': 'LeftParenthesis',
  ')': 'RightParenthesis',
  '[': 'LeftSquareBracket',
  ']': 'RightSquareBracket',
  ',': 'Comma',
  '.': 'Dot',
};

/** '[…]' is an expression; '[[…]' is a text that begins with '['. */
export function isExpression(text: string): boolean {
  return text.length > 2 && text.startsWith('[') && !text.startsWith('[[') && text.endsWith(']');
}

/**
 * The text that a string of a template stands for, if it is no expression. Only what ends like an expression needs a
 * second '['.
 */
export function unescapeText(text: string): string {
  return text.startsWith('[[') && text.endsWith(']') ? text.slice(1) : text;
}

/** The string of a template that stands for this text. */
export function escapeText(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? `[${text}` : text;
}

const parsed = new Map<string, Expression>();
const PARSED_LIMIT = 5000;

/** Parses '[…]'. Throws SyntaxFault. Trees are shared between calls: nobody changes them. */
export function parseExpression(text: string): Expression {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const expression = new Parser(text).parse();
  if (parsed.size >= PARSED_LIMIT) parsed.clear();
  parsed.set(text, expression);
  return expression;
}

function* tokens(source: string): Generator<Token> {
  const pattern =
    /\s*(?:(?<string>'(?:[^']|'')*')|(?<integer>[+-]?\d+)|(?<identifier>[A-Za-z_$][\w$]*)|(?<mark>[()[\],.]))/y;
  let at = 0;
  for (;;) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match?.groups === undefined) break;
    at = pattern.lastIndex;
    const { string, integer, identifier, mark } = match.groups;
    if (string !== undefined) yield { kind: 'StringLiteral', text: string.slice(1, -1).replaceAll("''", "'") };
    else if (integer !== undefined) yield { kind: 'Integer', text: integer };
    else if (identifier !== undefined) yield { kind: 'Identifier', text: identifier };
    else if (mark !== undefined) yield { kind: PUNCTUATION[mark] ?? 'EndOfData', text: mark };
  }
  const rest = source.slice(at).trimStart();
  if (rest !== '') {
    const position = source.length - rest.length;
    throw new SyntaxFault(
      `The language expression '${source}' is not valid: the string character '${rest.charAt(0)}' at position '${position}' is not expected.`,
    );
  }
  yield { kind: 'EndOfData', text: '' };
}

/** The most calls and indexes within each other: what is deeper is no template that a person or a compiler wrote. */
const DEPTH_LIMIT = 500;

/**
 * The most characters of an expression. Source: Azure's refusals; its documentation still has 24,576, which was the
 * limit once.
 */
const LENGTH_LIMIT = 131_072;

class Parser {
  #depth = 0;
  readonly #source: string;
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    if (text.length > LENGTH_LIMIT)
      throw new SyntaxFault(
        `The language expression length limit exceeded. Limit: '${LENGTH_LIMIT}' and actual: '${text.length}'.`,
      );
    this.#source = text.slice(1, -1);
    this.#tokens = [...tokens(this.#source)];
  }

  parse(): Expression {
    const expression = this.#expression();
    this.#take('EndOfData');
    return expression;
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'EndOfData', text: '' };
  }

  #take(kind: TokenKind): Token {
    const token = this.#next;
    if (token.kind !== kind) {
      throw new SyntaxFault(
        `Unable to parse language expression '${this.#source}': expected token '${kind}' and actual '${token.kind}'.`,
      );
    }
    this.#at += 1;
    return token;
  }

  #expression(): Expression {
    this.#depth += 1;
    if (this.#depth > DEPTH_LIMIT)
      throw new SyntaxFault(
        `The language expression is nested more than ${DEPTH_LIMIT} levels deep: '${this.#source.slice(0, 60)}…'.`,
      );
    try {
      return this.#chain();
    } finally {
      this.#depth -= 1;
    }
  }

  #chain(): Expression {
    let expression = this.#primary();
    for (;;) {
      if (this.#next.kind === 'Dot') {
        this.#at += 1;
        expression = { kind: 'property', of: expression, name: this.#take('Identifier').text };
      } else if (this.#next.kind === 'LeftSquareBracket') {
        this.#at += 1;
        expression = { kind: 'index', of: expression, index: this.#expression() };
        this.#take('RightSquareBracket');
      } else return expression;
    }
  }

  #primary(): Expression {
    if (this.#next.kind === 'StringLiteral') return { kind: 'literal', value: this.#take('StringLiteral').text };
    if (this.#next.kind === 'Integer') return { kind: 'literal', value: Number(this.#take('Integer').text) };
    let name = this.#take('Identifier').text;
    if (this.#next.kind === 'Dot') {
      this.#at += 1;
      name = `${name}.${this.#take('Identifier').text}`;
    }
    return { kind: 'call', name, args: this.#arguments() };
  }

  #arguments(): Expression[] {
    this.#take('LeftParenthesis');
    const args: Expression[] = [];
    while (this.#next.kind !== 'RightParenthesis') {
      if (args.length > 0) this.#take('Comma');
      args.push(this.#expression());
    }
    this.#take('RightParenthesis');
    return args;
  }
}

/** The text of an expression, without the outer brackets: `parseExpression('[' + toText(e) + ']')` is `e` again. */
export function toText(expression: Expression): string {
  if (expression.kind === 'property') return `${toText(expression.of)}.${expression.name}`;
  if (expression.kind === 'index') return `${toText(expression.of)}[${toText(expression.index)}]`;
  if (expression.kind === 'call') return `${expression.name}(${expression.args.map(toText).join(', ')})`;
  const { value } = expression;
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** Every call in an expression, outer ones first. */
export function* callsIn(expression: Expression): Generator<Extract<Expression, { kind: 'call' }>> {
  if (expression.kind === 'call') {
    yield expression;
    for (const arg of expression.args) yield* callsIn(arg);
  } else if (expression.kind !== 'literal') {
    yield* callsIn(expression.of);
    if (expression.kind === 'index') yield* callsIn(expression.index);
  }
}
