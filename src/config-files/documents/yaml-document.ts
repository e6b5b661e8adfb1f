import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  parseDocument,
  type Document,
  type ErrorCode,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { ConfigBlock, ConfigDocument, ConfigEntry, ConfigNode, ConfigScalar, Edit } from './document.ts';
import { malformedAt } from './document.ts';

/** The library's own messages quote the file, which may contain secrets. These do not. */
const reasons: Readonly<Partial<Record<ErrorCode, string>>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'an alias to an anchor that is not defined before it',
  BAD_COLLECTION_TYPE: 'the tag does not fit the collection',
  BAD_DIRECTIVE: 'a directive that is not understood',
  BAD_DQ_ESCAPE: 'an escape that double quotes do not have',
  BAD_INDENT: 'wrong indentation',
  BAD_PROP_ORDER: 'an anchor or a tag in the wrong place',
  BAD_SCALAR_START: 'a plain value cannot start with this character',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping is not allowed here; is a value with ": " missing its quotes?',
  BLOCK_IN_FLOW: 'a block is not allowed inside [ ] or { }',
  DUPLICATE_KEY: 'a key that this mapping already has',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR: 'a closing quote, bracket, comma or ":" is missing',
  MULTILINE_IMPLICIT_KEY: 'a key over several lines; is a ":" missing?',
  MULTIPLE_ANCHORS: 'more than one anchor',
  MULTIPLE_TAGS: 'more than one tag',
  TAB_AS_INDENT: 'a tab used as indentation',
  TAG_RESOLVE_FAILED: 'a tag that cannot be resolved',
  UNEXPECTED_TOKEN: 'something that does not belong here',
};

function reasonOf({ code }: YAMLError): string {
  return `malformed YAML: ${reasons[code] ?? code}`;
}

const knownTags = new Set(['tag:yaml.org,2002:str', '!']);
/** Characters that a plain scalar can have anywhere, including flow collections. */
const plainCharacters = /^[\w/](?:[\w.\-/~%+@=?&()$#]|:(?=\S))*$/;

/** With the failsafe schema every scalar is a string. An absent one is null. */
function textOf(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : '';
}

function staysPlain(value: string): boolean {
  if (!plainCharacters.test(value)) return false;
  // Readers support different YAML versions: write it plain only if all of them read a string.
  return (['1.1', 'next'] as const).every((version) => parseDocument(value, { version }).toJS() === value);
}

function writeFlow(value: string, style: string | undefined): string {
  if (style === 'QUOTE_SINGLE') return `'${value.replaceAll("'", "''")}'`;
  return style === 'PLAIN' && staysPlain(value) ? value : JSON.stringify(value);
}

/** A block scalar's value is on lines of its own below the header. Only that text is replaced. */
function writeBlock(source: string, start: number, oldValue: string, value: string): Edit {
  const header = /^[^\n]*\n/.exec(source)?.[0].length ?? source.length;
  const at = source.indexOf(oldValue, header);
  const from = start + Math.max(at, header);
  return { start: from, end: from + oldValue.length, text: value };
}

class YamlReader {
  readonly scalars: ConfigScalar[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #known = new Map<unknown, ConfigNode>();
  #document: Document.Parsed | undefined;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  read(document: Document.Parsed, place: string): ConfigNode {
    this.#document = document;
    return this.#nodeOf(document.contents, place);
  }

  #nodeOf(node: unknown, place: string): ConfigNode {
    if (isAlias(node)) return this.#aliasOf(node, place);
    if (isScalar(node)) return this.#remember(node, this.#scalarOf(node, place));
    if (isMap(node)) return this.#blockOf(node, place);
    if (!isSeq(node)) return { kind: 'other', text: '' };
    const items: ConfigNode[] = [];
    const list = this.#remember(node, { kind: 'list' as const, items });
    // A pair in a list, `[key: value]`, is a block with one entry.
    for (const [index, item] of node.items.entries()) {
      const inner = `${place}[${index}]`;
      items.push(
        isPair(item)
          ? { kind: 'block', entries: [this.#entryOf(item.key, item.value, inner)], merges: [] }
          : this.#nodeOf(item, inner),
      );
    }
    return list;
  }

  #remember<Kind extends ConfigNode>(node: unknown, made: Kind): Kind {
    this.#known.set(node, made);
    return made;
  }

  #aliasOf(alias: { resolve(document: Document.Parsed): unknown; range?: unknown }, place: string): ConfigNode {
    const [start, end] = alias.range as [number, number, number];
    const resolved = this.#document && alias.resolve(this.#document);
    if (!resolved) throw malformedAt(this.#file, this.#text, start, `malformed YAML: ${reasons.BAD_ALIAS}`);
    const target = this.#known.get(resolved);
    if (target?.kind !== 'scalar') return target ?? { kind: 'other', text: '' };
    const site: ConfigScalar = {
      kind: 'scalar',
      value: target.value,
      start,
      end,
      place,
      anchor: target,
      write: (value) => ({ start, end, text: writeFlow(value, 'PLAIN') }),
    };
    this.scalars.push(site);
    return site;
  }

  #scalarOf(node: Scalar, place: string): ConfigNode {
    const [start, end] = node.range ?? [0, 0];
    const source = this.#text.slice(start, end);
    if (node.tag !== undefined && !knownTags.has(node.tag)) return { kind: 'other', text: source };
    const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    const whole = textOf(node);
    // A block scalar's last line break belongs to its form, not to its value.
    const value = isBlock ? whole.replace(/\n+$/, '') : whole;
    const write = (next: string): Edit =>
      isBlock ? writeBlock(source, start, value, next) : { start, end, text: writeFlow(next, node.type) };
    const scalar: ConfigScalar = { kind: 'scalar', value, start, end, place, write };
    this.scalars.push(scalar);
    return scalar;
  }

  #entryOf(key: unknown, value: unknown, place: string): ConfigEntry {
    const name = isScalar(key) ? textOf(key) : '?';
    const inner = place === '' || place.endsWith(': ') ? place + name : `${place}.${name}`;
    const keyNode = this.#nodeOf(key, inner);
    return { key: keyNode.kind === 'scalar' ? keyNode : undefined, value: this.#nodeOf(value, inner) };
  }

  #blockOf(map: YAMLMap, place: string): ConfigBlock {
    const block = this.#remember<ConfigBlock>(map, { kind: 'block', entries: [], merges: [] });
    for (const { key, value } of map.items) {
      const entry = this.#entryOf(key, value, place);
      const merged = entry.value.kind === 'list' ? entry.value.items : [entry.value];
      const isMerge = isScalar(key) && key.type === 'PLAIN' && key.value === '<<';
      if (isMerge && merged.every((source) => source.kind === 'block')) block.merges.push(...merged);
      else block.entries.push(entry);
    }
    return block;
  }
}

/** Parses YAML, with one root for each document. Throws ConfigError at the first error. */
export function parseYamlDocument(file: string, text: string): ConfigDocument {
  // Failsafe: every scalar is a string as written. The meaning of `no` or `1e3` does not matter here.
  const parsed = parseAllDocuments(text, { schema: 'failsafe', prettyErrors: false, logLevel: 'silent' });
  const documents = 'empty' in parsed ? [] : parsed;
  const broken = 'empty' in parsed ? parsed.errors[0] : undefined;
  if (broken) throw malformedAt(file, text, broken.pos[0], reasonOf(broken));
  const reader = new YamlReader(file, text);
  const roots = documents.map((document, index) => {
    const error = document.errors[0];
    if (error) {
      throw malformedAt(file, text, error.pos[0], reasonOf(error));
    }
    return reader.read(document, documents.length > 1 ? `document ${index + 1}: ` : '');
  });
  return { roots, scalars: reader.scalars };
}
