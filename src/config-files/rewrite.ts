import {
  applyEdits,
  positionOf,
  positionsIn,
  type ConfigDocument,
  type ConfigFormat,
  type ConfigScalar,
} from './documents/document.ts';
import { parseEnvDocument } from './documents/env-document.ts';
import { ConfigError } from './error.ts';
import { parseJsonDocument } from './documents/json-document.ts';
import type { WorkspaceMapping } from './mapping.ts';
import { readMeaning, type Meaning, type Opinion } from './meaning.ts';
import { mask, maskText, secretPlaces } from './secrets.ts';
import { parseYamlDocument } from './documents/yaml-document.ts';

/** A config file to rewrite. */
export interface ConfigInput {
  /** The file's name. Determines the format if none is given, and is used in errors. */
  file: string;
  format?: ConfigFormat | undefined;
  content: string | Uint8Array;
  mapping: WorkspaceMapping;
}

/** One changed value; secrets in it are masked. `line` counts from 1. */
export interface ConfigChange {
  /** The path in the file (`jobs.train.compute`) or the variable's name. */
  place: string;
  line: number;
  from: string;
  to: string;
}

/** Something left unchanged, or changed only in part, that a person has to check. */
export interface ConfigWarning {
  place: string;
  line: number;
  text: string;
}

/** The result of rewriting a config file. */
export interface RewrittenConfig {
  content: string;
  changes: ConfigChange[];
  warnings: ConfigWarning[];
}

const byteOrderMark = '\uFEFF';

/** Returns the format by a file's name. Throws ConfigError if the name does not tell. */
export function formatOf(file: string): ConfigFormat {
  const name = file.replace(/^.*[/\\]/, '').toLowerCase();
  if (/\.(?:json|jsonc|ipynb)$/.test(name)) return 'json';
  if (/\.(?:ya?ml|runconfig)$/.test(name)) return 'yaml';
  if (/^\.env(?:\.|$)|\.env$/.test(name)) return 'env';
  throw new ConfigError(
    { file },
    {
      found: 'the name does not say the format',
      expected: 'a name that ends in .json, .jsonc, .ipynb, .yml, .yaml, .runconfig or .env',
      next: 'Rename the file, or take it out of the target.',
    },
  );
}

const utf8 = { expected: 'UTF-8', next: 'Save the file as UTF-8, or take it out of the target.' };

/** Decodes a file's bytes, which must be UTF-8. Keeps a byte order mark. */
export function decodeConfig(file: string, bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new ConfigError({ file }, { found: 'the file is UTF-16', ...utf8 });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError({ file }, { found: 'the file is not UTF-8 text', ...utf8 }, { cause });
  }
}

const parsers: Readonly<Record<ConfigFormat, (file: string, text: string) => ConfigDocument>> = {
  json: parseJsonDocument,
  yaml: parseYamlDocument,
  env: parseEnvDocument,
};

/** Parses a text without a byte order mark. */
export function parseConfig(file: string, format: ConfigFormat, text: string): ConfigDocument {
  return parsers[format](file, text);
}

/** Separates a text from its byte order mark. */
export function splitMark(content: string): { mark: string; text: string } {
  const mark = content.startsWith(byteOrderMark) ? byteOrderMark : '';
  return { mark, text: content.slice(mark.length) };
}

/**
 * Rewrites the values of a config file that mean the source workspace, and no other byte of it. Pure: reads and writes
 * nothing. A second run on the result changes nothing.
 *
 * @throws ConfigError when the file is malformed, when one shared value (a YAML anchor) would have to be two, or when
 *   the mapping would change its own result.
 */
export function rewriteConfig(input: ConfigInput): RewrittenConfig {
  const { file, mapping } = input;
  const format = input.format ?? formatOf(file);
  const content = typeof input.content === 'string' ? input.content : decodeConfig(file, input.content);
  const { mark, text } = splitMark(content);
  const before = parseConfig(file, format, text);
  const meaning = readMeaning(before.roots, mapping);
  const planned = planValues(file, text, meaning);
  const edits = [...planned].map(([site, to]) => site.write(to));
  const rewritten = applyEdits(text, edits);
  const after = parseConfig(file, format, rewritten);
  assertOnlyPlanned(file, text, { before, after, planned });
  assertStable(file, rewritten, after, mapping);
  const position = positionsIn(text);
  const warnings = meaning.notices.map(({ site, text: notice }) => ({
    place: maskText(site.place),
    line: position(site.start).line,
    text: notice,
  }));
  return { content: mark + rewritten, changes: describeChanges(text, before, planned), warnings };
}

/** Replaces a file's whole content by its original, of which a rewriting made it: the two differ in values only. */
export function restoreConfig(input: Omit<ConfigInput, 'mapping'> & { original: string }): RewrittenConfig {
  const { file, original } = input;
  const format = input.format ?? formatOf(file);
  const { text } = splitMark(typeof input.content === 'string' ? input.content : decodeConfig(file, input.content));
  const now = parseConfig(file, format, text);
  const then = parseConfig(file, format, splitMark(original).text);
  const restored = new Map<ConfigScalar, string>();
  for (const [index, site] of now.scalars.entries()) {
    const value = then.scalars[index]?.value;
    const follows = site.anchor !== undefined && restored.get(site.anchor) === value;
    if (value !== undefined && value !== site.value && !follows) restored.set(site, value);
  }
  return { content: original, changes: describeChanges(text, now, restored), warnings: [] };
}

/** Returns the changes in the order of the file, with secrets masked. */
function describeChanges(
  text: string,
  before: ConfigDocument,
  planned: ReadonlyMap<ConfigScalar, string>,
): ConfigChange[] {
  const secrets = secretPlaces(before);
  const position = positionsIn(text);
  const show = (site: ConfigScalar, value: string): string => (secrets.has(site) ? mask : maskText(value));
  return [...planned]
    .toSorted(([left], [right]) => left.start - right.start)
    .map(([site, to]) => ({
      place: maskText(site.place),
      line: position(site.write(to).start).line,
      from: show(site, site.value),
      to: show(site, to),
    }));
}

/** Determines what each place becomes. Places that share an anchored value are decided together, at the anchor. */
function planValues(file: string, text: string, meaning: Meaning): Map<ConfigScalar, string> {
  const groups = Map.groupBy(meaning.opinions.keys(), (site) => site.anchor ?? site);
  const planned = new Map<ConfigScalar, string>();
  for (const [owner, sites] of groups) {
    const opinionsOf = (site: ConfigScalar): Opinion[] => meaning.opinions.get(site) ?? [];
    const all = sites.flatMap(opinionsOf);
    const targets = new Set(all.flatMap((opinion) => (opinion.kind === 'change' ? [opinion.to] : [])));
    const [to] = targets;
    if (to === undefined) continue;
    const kept = all.some((opinion) => opinion.kind === 'keep');
    if (targets.size === 1 && !kept) {
      planned.set(owner, to);
      continue;
    }
    // Other aliases still need the anchor: each alias that changes gets a value of its own.
    for (const site of sites) {
      const own = new Set(opinionsOf(site).map((opinion) => (opinion.kind === 'change' ? opinion.to : undefined)));
      const [target] = own;
      if (own.size > 1 || (target !== undefined && site === owner)) {
        throw new ConfigError(
          { file, ...positionOf(text, site.start) },
          {
            found: 'one value is shared (by an anchor or "<<") between the source workspace and another',
            expected: 'a value of its own for each workspace',
            next: 'Write it out where it is used.',
          },
        );
      }
      if (target !== undefined) planned.set(site, target);
    }
  }
  return planned;
}

interface Rewriting {
  before: ConfigDocument;
  after: ConfigDocument;
  planned: ReadonlyMap<ConfigScalar, string>;
}

/** Parses the result again: every planned place must have its new value, and every other its old one. */
function assertOnlyPlanned(file: string, text: string, { before, after, planned }: Rewriting): void {
  const wrong = before.scalars.find((site, index) => {
    const expected = planned.get(site) ?? (site.anchor && planned.get(site.anchor)) ?? site.value;
    return after.scalars[index]?.value !== expected;
  });
  if (!wrong && before.scalars.length === after.scalars.length) return;
  throw new ConfigError(
    { file, ...(wrong ? positionOf(text, wrong.start) : {}) },
    {
      found: 'this value cannot be rewritten in the style it is written in',
      expected: 'one line, in double quotes',
      next: 'Write the value so.',
    },
  );
}

function assertStable(file: string, text: string, after: ConfigDocument, mapping: WorkspaceMapping): void {
  const again = planValues(file, text, readMeaning(after.roots, mapping));
  const [first] = again.keys();
  if (!first) return;
  throw new ConfigError(
    { file, ...positionOf(text, first.start) },
    {
      found: 'the mapping would change its own result here: a new name or address is itself one to be replaced',
      expected: 'new names that are no old ones',
      next: 'Correct jobs.compute in the topology.',
    },
  );
}
