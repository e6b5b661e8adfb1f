/** The YAML files of a workspace: found, parsed, sorted by kind; and errors with file and line. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { LineCounter, parseDocument, type Document as YamlDocument } from 'yaml';
import type { z } from 'zod';
import { isObject, type Json, type JsonObject } from './json.ts';
import { LoadError } from './load-error.ts';

/** What a `$schema` of Azure Machine Learning says a file is. */
export const KINDS = {
  amlCompute: 'compute',
  computeInstance: 'compute',
  azureBlob: 'datastore',
  workspaceConnection: 'connection',
  environment: 'environment',
  data: 'data',
  model: 'model',
  commandComponent: 'component',
  managedOnlineEndpoint: 'endpoint',
  managedOnlineDeployment: 'deployment',
  commandJob: 'job',
  sweepJob: 'job',
  pipelineJob: 'job',
  autoMLJob: 'job',
  sparkJob: 'job',
  schedule: 'schedule',
} as const;
export type Kind = (typeof KINDS)[keyof typeof KINDS];

export interface Document {
  kind: Kind;
  path: string;
  /** Relative to the workspace's folder, for messages. */
  shownPath: string;
  content: JsonObject;
  /** The line (from 1) of a place in the file, or of the nearest place above it that there is. */
  lineOf(place: readonly PropertyKey[]): number;
}

const SCHEMA =
  /^https:\/\/azuremlschemas(?:\.azureedge\.net|\.blob\.core\.windows\.net)\/[^/]+\/(\w+)\.schema\.json$/u;

/** All Azure ML YAML files below a folder but those in the folders to skip; YAML without such a `$schema` is not ours. */
export async function readDocuments(folder: string, skip: readonly string[]): Promise<Document[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new LoadError(
      `cannot read the folder "${folder}": ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/u.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !relative(folder, path)
          .split(sep)
          .some((part) => skip.includes(part)),
    )
    .sort();
  const documents: Document[] = [];
  for (const path of paths) {
    const document = await readDocument(path, relative(folder, path));
    if (document !== undefined) documents.push(document);
  }
  return documents;
}

/** One file, or undefined where its `$schema` is not one of Azure Machine Learning's. */
export async function readDocument(path: string, shownPath = path): Promise<Document | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LoadError(`cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`);
  });
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines });
  const broken = yaml.errors[0];
  if (broken !== undefined) {
    throw new LoadError(
      `${shownPath}:${lines.linePos(broken.pos[0]).line}: not valid YAML: ${broken.message.split('\n')[0]}`,
    );
  }
  const content = yaml.toJS() as Json;
  if (!isObject(content) || typeof content.$schema !== 'string') return undefined;
  const name = SCHEMA.exec(content.$schema)?.[1];
  if (name === undefined) return undefined;
  if (!Object.hasOwn(KINDS, name)) {
    throw new LoadError(
      `${shownPath}: $schema: expected one of ${Object.keys(KINDS).join(', ')}, got "${name}"`,
    );
  }
  const kind = KINDS[name as keyof typeof KINDS];
  return { kind, path, shownPath, content, lineOf: (place) => lineOf(yaml, lines, place) };
}

function lineOf(yaml: YamlDocument, lines: LineCounter, place: readonly PropertyKey[]): number {
  for (let depth = place.length; depth > 0; depth--) {
    const node = yaml.getIn(place.slice(0, depth), true);
    const range = isRanged(node) ? node.range : undefined;
    if (range) return lines.linePos(range[0]).line;
  }
  return 1;
}

function isRanged(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

/** The document's content as its schema has it; a LoadError names every place that is wrong, and keys that are not known. */
export function parseContent<Schema extends z.ZodType>(document: Document, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(document.content);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(flattened).map((issue) => {
    const place = issue.path.map(String).join('.');
    const found = valueAt(document.content, issue.path);
    // Some of zod's messages say what was found, by its kind; the others are given its value.
    const said =
      issue.code === 'unrecognized_keys' || (found === undefined && issue.message.includes('received'));
    const got = said ? '' : `, got ${JSON.stringify(found) ?? 'nothing'}`;
    return `${document.shownPath}:${document.lineOf(issue.path)}: ${place === '' ? '' : `${place}: `}${issue.message}${got}`;
  });
  throw new LoadError(problems.join('\n'));
}

/** Of a union the branch that came nearest speaks, rather than "invalid input". */
function flattened(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const depth = (branch: z.core.$ZodIssue[]) => Math.max(...branch.map((one) => one.path.length));
  const nearest = issue.errors.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
  return nearest.flatMap((inner) => flattened({ ...inner, path: [...issue.path, ...inner.path] }));
}

function valueAt(content: Json, path: readonly PropertyKey[]): Json | undefined {
  let value: Json | undefined = content;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value)) value = value[String(key)];
    else return undefined;
  }
  return value;
}
