/**
 * The language of role assignment conditions, read into a tree. Source: Azure, "Azure role assignment condition format
 * and syntax", version 2.0 of the conditions.
 */

export type Value = string | number | boolean;

/** `@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]` */
export interface Attribute {
  /** 'resource', 'request', 'principal', 'environment' */
  source: string;
  /** 'microsoft.storage/storageaccounts/blobservices/containers:name' */
  name: string;
}

export type Condition =
  | { kind: 'or' | 'and'; of: Condition[] }
  | { kind: 'not'; of: Condition }
  | { kind: 'action' | 'subOperation'; pattern: string }
  | { kind: 'exists'; attribute: Attribute }
  | {
      kind: 'compare';
      attribute: Attribute;
      /** 'stringequals', less its 'ForAnyOfAnyValues:' */
      operator: string;
      /** Of the attribute's values, and of those to compare with: must any or all of them fit? */
      each: { left: 'any' | 'all'; right: 'any' | 'all' };
      values: Value[] | Attribute;
    };

const OPERATOR =
  /^(string(not)?(equals|startswith|like)(ignorecase)?|(guid|bool)(not)?equals|(numeric|datetime)((not)?equals|(less|greater)than(equals)?))$/;

const TOKEN =
  /\s*(?:(@\w+\[[^\]]+\])|'((?:[^'\\]|\\.)*)'|(&&|\|\||[!(){},])|([A-Za-z][\w:]*(?:-[\w-]+)?|[\d][\w.:+-]*|-\d[\d.]*))/y;
/** Deeper than anyone nests, and far from the depth of the stack. */
const DEEPEST = 100;

/** Throws an Error that says where the text is no condition. */
export function parseCondition(text: string): Condition {
  const reader = new Reader(tokensOf(text));
  const condition = either(reader, 0);
  reader.expect(undefined);
  return condition;
}

interface Token {
  kind: 'attribute' | 'text' | 'sign' | 'word';
  text: string;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  const end = text.trimEnd().length;
  while (pattern.lastIndex < end) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new Error(`at character ${at + 1}: '${text.slice(at, at + 20)}' is not expected`);
    const [, attribute, quoted, sign, word] = match;
    if (attribute !== undefined) tokens.push({ kind: 'attribute', text: attribute });
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted.replaceAll(/\\(.)/g, '$1') });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else tokens.push({ kind: 'word', text: word ?? '' });
  }
  return tokens;
}

class Reader {
  private readonly tokens: Token[];
  private at = 0;
  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  next(): Token {
    const token = this.tokens[this.at];
    if (!token) throw new Error('the condition ends too early');
    this.at += 1;
    return token;
  }

  /** Takes the next token if it is one of these words or signs, in any case. */
  takes(...words: string[]): boolean {
    const token = this.tokens[this.at];
    if (!token || token.kind === 'text' || !words.includes(token.text.toLowerCase())) return false;
    this.at += 1;
    return true;
  }

  /** undefined: the end. */
  expect(sign: string | undefined): void {
    if (sign === undefined ? this.at === this.tokens.length : this.takes(sign)) return;
    const got = this.tokens[this.at]?.text ?? 'the end';
    throw new Error(`'${sign ?? 'the end'}' is expected, got '${got}'`);
  }
}

function either(reader: Reader, depth: number): Condition {
  const of = [both(reader, depth)];
  while (reader.takes('or', '||')) of.push(both(reader, depth));
  return of.length === 1 && of[0] ? of[0] : { kind: 'or', of };
}

function both(reader: Reader, depth: number): Condition {
  const of = [one(reader, depth)];
  while (reader.takes('and', '&&')) of.push(one(reader, depth));
  return of.length === 1 && of[0] ? of[0] : { kind: 'and', of };
}

function one(reader: Reader, depth: number): Condition {
  if (depth > DEEPEST) throw new Error(`it is nested deeper than ${DEEPEST}`);
  if (reader.takes('!', 'not')) return { kind: 'not', of: one(reader, depth + 1) };
  if (reader.takes('(')) {
    const inner = either(reader, depth + 1);
    reader.expect(')');
    return inner;
  }
  if (reader.takes('actionmatches')) return { kind: 'action', pattern: braced(reader) };
  if (reader.takes('suboperationmatches')) return { kind: 'subOperation', pattern: braced(reader) };
  if (reader.takes('exists')) return { kind: 'exists', attribute: attributeOf(reader.next()) };
  return comparison(reader);
}

function braced(reader: Reader): string {
  reader.expect('{');
  const { kind, text } = reader.next();
  if (kind !== 'text') throw new Error(`a text in quotes is expected, got '${text}'`);
  reader.expect('}');
  return text.toLowerCase();
}

function comparison(reader: Reader): Condition {
  const attribute = attributeOf(reader.next());
  const word = reader.next().text;
  const [, left, right, named = ''] = /^(?:For(Any|All)Of(Any|All)Values:)?(\w+)$/i.exec(word) ?? [];
  const operator = named.toLowerCase();
  if (!OPERATOR.test(operator)) throw new Error(`'${word}' is no operator`);
  const side = (text: string | undefined): 'any' | 'all' => (text?.toLowerCase() === 'all' ? 'all' : 'any');
  return {
    kind: 'compare',
    attribute,
    operator,
    each: { left: side(left), right: side(right) },
    values: operand(reader),
  };
}

function operand(reader: Reader): Value[] | Attribute {
  if (!reader.takes('{')) {
    const token = reader.next();
    return token.kind === 'attribute' ? attributeOf(token) : [valueOf(token)];
  }
  const values = [valueOf(reader.next())];
  while (reader.takes(',')) values.push(valueOf(reader.next()));
  reader.expect('}');
  return values;
}

function valueOf({ kind, text }: Token): Value {
  if (kind === 'text') return text;
  if (kind !== 'word') throw new Error(`a value is expected, got '${text}'`);
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function attributeOf({ kind, text }: Token): Attribute {
  const [, source = '', inner = ''] = /^@(\w+)\[(.+)\]$/.exec(text) ?? [];
  if (kind !== 'attribute' || !/^(resource|request|principal|environment)$/i.test(source))
    throw new Error(
      `'${text}' is no attribute: @Resource[…], @Request[…], @Principal[…] or @Environment[…] is expected`,
    );
  const name = inner
    .replace(/<\$[^>]*\$>/g, '')
    .trim()
    .toLowerCase();
  return { source: source.toLowerCase(), name };
}
