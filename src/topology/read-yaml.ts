/** Reads YAML, substitutes variables, and maps each part to its place in the text. */
import { isMap, isNode, isScalar, LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { messageOf } from '../errors/error.ts';

/** A place in a text. Both numbers count from 1, as in editors. */
export interface Place {
  line: number;
  column: number;
}

/** Environment variables for `${NAME}` in a topology: values that differ between installations. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Text that is not YAML, or YAML whose variables cannot be substituted. */
export interface Unreadable {
  problems: { place: Place; message: string }[];
  /** What to do, if it is not simply to correct them. */
  next?: string;
}

/** YAML that was read. */
export interface Readable {
  value: unknown;
  /** Returns the place of `path`, or of the deepest part of it that exists. */
  placeOf: (path: readonly PropertyKey[]) => Place;
}

/** Throws nothing: problems with the text are part of the result. */
export function readYaml(text: string, variables: Variables): Readable | Unreadable {
  const { document, placeAt, placeOf } = parse(text);
  // One syntax error causes others, so only the first is reported.
  const errors = document.errors.filter(({ code }, index) => index === 0 || code === 'DUPLICATE_KEY');
  if (errors.length > 0) {
    return {
      problems: errors.map((error) => ({
        place: placeAt(error.pos[0]),
        message: yamlMessage(error, text),
      })),
    };
  }
  const { unset, malformed } = fillVariables(document, variables);
  if (unset.length + malformed.length > 0) {
    const wrong = [...malformed, ...unset].toSorted((a, b) => a.offset - b.offset);
    return {
      problems: wrong.map(({ message, offset }) => ({ place: placeAt(offset), message })),
      ...(malformed.length > 0 ? {} : { next: 'Set them, or name a file that does: --environment FILE.' }),
    };
  }
  try {
    return { value: document.toJS(), placeOf };
  } catch (error) {
    // Aliases without an anchor, or endless aliases of aliases: found only when they are resolved.
    return { problems: [{ place: placeAt(offsetOfAlias(document)), message: messageOf(error) }] };
  }
}

/** Returns the place in a readable text of `path`, or of the deepest part of it that exists. */
export function placeIn(text: string, path: readonly PropertyKey[]): Place {
  return parse(text).placeOf(path);
}

function parse(text: string) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset = 0): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const placeOf = (path: readonly PropertyKey[]) => placeAt(offsetOf(document, path));
  return { document, placeAt, placeOf };
}

function yamlMessage({ code, message, pos }: YAMLError, text: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `expected each key once, got "${/^[^:\s]+/.exec(text.slice(pos[0]))?.[0] ?? ''}" again`;
    case 'MULTIPLE_DOCS':
      return 'expected one YAML document, got a second one';
    default:
      return `${message}${quoteAdvice(text, pos[0])}`;
  }
}

/** `${NAME}` without quotes inside `{ … }` begins a map of its own. */
function quoteAdvice(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
  const variable = /[{,].*(?<!["'])(\$\{[A-Z][A-Z0-9_]*\})/.exec(line)?.[1];
  return variable === undefined ? '' : `: inside { } a variable needs quotes: "${variable}"`;
}

/** Returns where the first unresolvable alias is, or otherwise the first alias. */
function offsetOfAlias(document: Document): number | undefined {
  const offsets: { offset: number | undefined; leadsNowhere: boolean }[] = [];
  visit(document, {
    Alias(_key, node) {
      offsets.push({ offset: node.range?.[0], leadsNowhere: node.resolve(document) === undefined });
    },
  });
  return (offsets.find(({ leadsNowhere }) => leadsNowhere) ?? offsets[0])?.offset;
}

interface Found {
  message: string;
  offset: number;
}

/** Begins like a variable but is none. `${lower}` belongs to shells, and `${{…}}` to Azure: both are left unchanged. */
const malformedVariable = /\$\{(?![A-Z][A-Z0-9_]*\}|[a-z][\w.-]*\}|\{)[^}\n]*\}?/g;

/** Replaces `${NAME}` in every string value. Returns the variables that are not set, and what only looks like one. */
function fillVariables(document: Document, variables: Variables): { unset: Found[]; malformed: Found[] } {
  const unset: Found[] = [];
  const malformed: Found[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      const offset = node.range?.[0] ?? 0;
      for (const [wrong] of node.value.matchAll(malformedVariable)) {
        const message = `expected a variable such as \${NAME} (capital letters, digits and "_"), got "${wrong}"`;
        malformed.push({ message, offset });
      }
      node.value = node.value.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (whole, name: string) => {
        const value = variables[name];
        if (value === undefined || value === '')
          unset.push({ message: `expected the environment variable ${name} to be set, got nothing`, offset });
        return value ?? whole;
      });
    },
  });
  return { unset, malformed };
}

/** Returns where the deepest existing part of `path` is in the text: its key, or the item of a list. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}
