/**
 * The part of Bicep's syntax that the project's templates use, as a tree. What it does not know is an error that says
 * where: a template that outgrows it fails its test instead of passing unread.
 */

import type { BicepFile, Decorator, Node, Parameter, ResourceDeclaration } from './bicep-tree.ts';

const OPERATORS = ['==', '!=', '>=', '<=', '&&', '||', '??', '>', '<', '+', '-', '*', '/', '%'];

/** Parses a Bicep file. Throws an Error with the line of what it cannot read. */
export function parseBicep(source: string): BicepFile {
  return new Parser(source).file();
}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  file(): BicepFile {
    const file: BicepFile = {
      targetScope: 'resourceGroup',
      parameters: [],
      variables: [],
      resources: [],
      outputs: [],
    };
    let decorators: Decorator[] = [];
    for (;;) {
      this.#gap();
      if (this.#at >= this.#source.length) return file;
      if (this.#skip('@')) {
        decorators.push(this.#decorator());
        continue;
      }
      this.#statement(file, decorators);
      decorators = [];
    }
  }

  #statement(file: BicepFile, decorators: Decorator[]): void {
    const keyword = this.#word('a statement');
    if (keyword === 'targetScope') {
      this.#expect('=');
      file.targetScope = this.#plainText();
    } else if (keyword === 'param') file.parameters.push(this.#parameter(decorators));
    else if (keyword === 'var') {
      const name = this.#word('the name of a variable');
      this.#expect('=');
      file.variables.push({ name, value: this.#expression() });
    } else if (keyword === 'resource') file.resources.push(this.#resource(decorators));
    else if (keyword === 'output') {
      const [name, type] = [this.#word('the name of an output'), this.#word('the type of an output')];
      this.#expect('=');
      file.outputs.push({ name, type, value: this.#expression(), decorators });
    } else throw this.#error(`a statement (param, var, resource, output), got '${keyword}'`);
  }

  #decorator(): Decorator {
    const name = this.#word('the name of a decorator');
    this.#expect('(');
    return { name, args: this.#list(')') };
  }

  #parameter(decorators: Decorator[]): Parameter {
    const [name, type] = [this.#word('the name of a parameter'), this.#word('the type of a parameter')];
    this.#blanks();
    if (!this.#skip('=')) return { name, type, decorators };
    return { name, type, default: this.#expression(), decorators };
  }

  #resource(decorators: Decorator[]): ResourceDeclaration {
    const symbol = this.#word('the symbol of a resource');
    const [type = '', apiVersion = ''] = this.#plainText().split('@');
    this.#blanks();
    const existing = this.#skip('existing');
    this.#expect('=');
    const head = { symbol, type, apiVersion, existing, decorators };
    this.#blanks();
    if (this.#skip('[')) return { ...head, ...this.#loop() };
    if (!this.#skip('if')) return { ...head, body: this.#body() };
    this.#expect('(');
    const condition = this.#expression();
    this.#expect(')');
    return { ...head, condition, body: this.#body() };
  }

  #loop(): { loop: { variable: string; over: Node }; body: [string, Node][] } {
    this.#expect('for');
    const variable = this.#word('a loop variable');
    this.#expect('in');
    const over = this.#expression();
    this.#expect(':');
    const body = this.#body();
    this.#gap();
    this.#expect(']');
    return { loop: { variable, over }, body };
  }

  #body(): [string, Node][] {
    const node = this.#expression();
    if (node.kind !== 'object') throw this.#error('an object');
    return node.entries;
  }

  #expression(): Node {
    const condition = this.#operation();
    this.#blanks();
    if (this.#source.startsWith('??', this.#at) || !this.#skip('?')) return condition;
    const yes = this.#expression();
    this.#gap();
    this.#expect(':');
    return { kind: 'choice', condition, yes, no: this.#expression() };
  }

  /** One operator, or none: a template that needs precedence needs parentheses here. */
  #operation(): Node {
    const left = this.#unary();
    this.#blanks();
    const operator = OPERATORS.find((each) => this.#source.startsWith(each, this.#at));
    if (operator === undefined) return left;
    this.#at += operator.length;
    const right = this.#unary();
    this.#blanks();
    if (OPERATORS.some((each) => this.#source.startsWith(each, this.#at)))
      throw this.#error('parentheses around one of two operators');
    return { kind: 'binary', operator, left, right };
  }

  #unary(): Node {
    this.#blanks();
    return this.#skip('!') ? { kind: 'not', of: this.#unary() } : this.#postfix();
  }

  #postfix(): Node {
    let node = this.#primary();
    for (;;) {
      if (this.#skip('.?')) node = { kind: 'optional', of: node, name: this.#word('a property') };
      else if (this.#skip('.')) node = { kind: 'member', of: node, name: this.#word('a property') };
      else if (this.#skip('[')) {
        node = { kind: 'index', of: node, index: this.#expression() };
        this.#expect(']');
      } else return node;
    }
  }

  #primary(): Node {
    this.#blanks();
    if (this.#skip('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (this.#skip('{')) return this.#object();
    if (this.#skip('[')) return { kind: 'array', items: this.#list(']') };
    if (this.#source.charAt(this.#at) === "'") return this.#text();
    const number = this.#match(/-?\d+/y);
    if (number !== undefined) return { kind: 'number', value: Number(number) };
    const name = this.#word('an expression');
    if (name === 'true' || name === 'false') return { kind: 'boolean', value: name === 'true' };
    if (name === 'null') return { kind: 'null' };
    return this.#skip('(') ? { kind: 'call', name, args: this.#list(')') } : { kind: 'name', name };
  }

  #object(): Node {
    const entries: [string, Node][] = [];
    for (;;) {
      this.#gap();
      if (this.#skip('}')) return { kind: 'object', entries };
      const key = this.#source.charAt(this.#at) === "'" ? this.#plainText() : this.#word('a property');
      this.#expect(':');
      entries.push([key, this.#expression()]);
    }
  }

  #list(end: string): Node[] {
    const items: Node[] = [];
    for (;;) {
      this.#gap();
      if (this.#skip(end)) return items;
      items.push(this.#expression());
      this.#blanks();
      this.#skip(',');
    }
  }

  #plainText(): string {
    this.#blanks();
    const node = this.#text();
    const [only] = node.kind === 'text' ? node.parts : [];
    if (typeof only !== 'string') throw this.#error('a text without interpolation');
    return only;
  }

  #text(): Node {
    if (this.#source.startsWith("'''", this.#at) || !this.#skip("'")) throw this.#error('a text in single quotes');
    const parts: (string | Node)[] = [];
    let piece = '';
    for (;;) {
      if (this.#skip("'")) return { kind: 'text', parts: piece === '' && parts.length > 0 ? parts : [...parts, piece] };
      if (this.#skip('${')) {
        if (piece !== '') parts.push(piece);
        parts.push(this.#expression());
        this.#expect('}');
        piece = '';
        continue;
      }
      const next = this.#match(/\\[nrt\\'$]|[^'\\\n]/y);
      if (next === undefined) throw this.#error('the end of a text');
      const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
      piece += next.startsWith('\\') ? (escapes[next.charAt(1)] ?? next.charAt(1)) : next;
    }
  }

  #blanks(): void {
    this.#match(/[ \t]*/y);
  }

  /** Blanks, line ends and comments. */
  #gap(): void {
    this.#match(/(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y);
  }

  #word(what: string): string {
    this.#blanks();
    const word = this.#match(/[A-Za-z_]\w*/y);
    if (word === undefined) throw this.#error(what);
    return word;
  }

  #skip(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    this.#blanks();
    if (!this.#skip(text)) throw this.#error(`'${text}'`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #error(expected: string): Error {
    const line = this.#source.slice(0, this.#at).split('\n').length;
    const rest = this.#source.slice(this.#at, this.#at + 30).split('\n')[0] ?? '';
    return new Error(`line ${line}: expected ${expected} at '${rest}'`);
  }
}
