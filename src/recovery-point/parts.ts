/** Writes and reads the parts of a recovery point: NDJSON, limited in size, each named by its digest. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import { partLines, type Part, type PartKind, type PartLines } from './manifest.ts';

const linesPerPart = 2000;
const bytesPerPart = 4 * 1024 * 1024;

/** Writes the lines of one kind into parts. */
export interface PartWriter<K extends PartKind> {
  /**
   * Adds a line.
   * Errors: ControlStoreError if the line could not be read again.
   */
  add(line: PartLines[K]): Promise<void>;
  /** Writes the remaining lines. Returns every part written, in order. */
  end(): Promise<Part[]>;
  /** Parts written so far. Lines may be waiting for the next one. */
  readonly parts: readonly Part[];
}

/**
 * @param folder the recovery point's folder in the control store
 * @param before parts that an earlier attempt has already written: they come first
 */
export function partWriter<K extends PartKind>(
  store: ControlStore,
  folder: string,
  kind: K,
  before: readonly Part[] = [],
): PartWriter<K> {
  const parts = [...before];
  let lines: string[] = [];
  let bytes = 0;
  const flush = async () => {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    const digest = sha256(text);
    const number = String(parts.length + 1).padStart(4, '0');
    const part: Part = {
      kind,
      name: `${folderOfKind(kind)}${kind}-${number}-${digest.slice(0, 16)}.ndjson`,
      sha256: digest,
      count: lines.length,
      bytes: Buffer.byteLength(text),
    };
    await store.write(`${folder}/${part.name}`, text, 'application/x-ndjson');
    parts.push(part);
    lines = [];
    bytes = 0;
  };
  return {
    parts,
    async add(line) {
      const { issue } = readLine(kind, line);
      if (issue) throw unwritable(folder, kind, issue);
      const text = JSON.stringify(line);
      lines.push(text);
      bytes += text.length;
      if (lines.length >= linesPerPart || bytes >= bytesPerPart) await flush();
    },
    async end() {
      await flush();
      return parts;
    },
  };
}

function folderOfKind(kind: PartKind): string {
  if (kind === 'blobs' || kind === 'fuzzy' || kind === 'units') return 'blobs/';
  return kind === 'jobs' ? '' : 'inventory/';
}

/**
 * Returns the text of a part after checking its digest.
 * Errors: RecoveryPointError if it is missing, cut short or altered.
 */
export async function partText(store: ControlStore, folder: string, part: Part): Promise<string> {
  const text = await store.readText(`${folder}/${part.name}`);
  const actual = text === undefined ? undefined : sha256(text);
  if (text === undefined || actual !== part.sha256) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `part "${part.name}" of recovery point "${idOf(folder)}" is ${
        actual === undefined ? 'missing' : `not what was sealed: its sha256 is ${actual}`
      }, expected sha256 ${part.sha256} (${part.bytes} bytes, ${part.count} lines)`,
      { place: `${folder}/${part.name}` },
    );
  }
  return text;
}

/**
 * Reads the lines of all parts of one kind, with one part in memory at a time.
 * Errors: RecoveryPointError as `partText`, and if a line does not match its schema.
 */
export async function* readLines<K extends PartKind>(
  store: ControlStore,
  folder: string,
  parts: readonly Part[],
  kind: K,
): AsyncIterable<PartLines[K]> {
  for (const part of parts) {
    if (part.kind !== kind) continue;
    yield* linesOf(await partText(store, folder, part), { folder, part, kind });
  }
}

/** As `readLines`, but skips what is missing or altered and reports it to `onDamage`. */
export async function* readableLines<K extends PartKind>(
  store: ControlStore,
  folder: string,
  parts: readonly Part[],
  { kind, onDamage }: { kind: K; onDamage: (part: Part, problem: string) => void },
): AsyncIterable<PartLines[K]> {
  for (const part of parts) {
    if (part.kind !== kind) continue;
    let lines: PartLines[K][];
    try {
      lines = linesOf(await partText(store, folder, part), { folder, part, kind });
    } catch (error) {
      if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
      onDamage(part, messageOf(error));
      continue;
    }
    yield* lines;
  }
}

interface PartPlace<K extends PartKind> {
  folder: string;
  part: Part;
  kind: K;
}

function linesOf<K extends PartKind>(text: string, { folder, part, kind }: PartPlace<K>): PartLines[K][] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((each, index) => {
    const { line, issue } = readLine(kind, JSON.parse(each));
    if (line !== undefined) return line;
    throw new UnderstudyError(
      'RecoveryPointError',
      `part "${part.name}" of recovery point "${idOf(folder)}", line ${index + 1}: ${showIssue(issue)}`,
      { place: `${folder}/${part.name}` },
    );
  });
}

type ReadLine<K extends PartKind> =
  | { line: PartLines[K]; issue?: undefined }
  | { line?: undefined; issue: z.core.$ZodIssue | undefined };

function readLine<K extends PartKind>(kind: K, value: unknown): ReadLine<K> {
  const schemas: { [Kind in PartKind]: z.ZodType<PartLines[Kind]> } = partLines;
  const parsed = schemas[kind].safeParse(value);
  return parsed.success ? { line: parsed.data } : { issue: parsed.error.issues[0] };
}

function unwritable(folder: string, kind: PartKind, issue: z.core.$ZodIssue): UnderstudyError {
  return new UnderstudyError(
    'ControlStoreError',
    `a line of the part "${kind}" of recovery point "${idOf(folder)}" was not written, since it could not be read again: ${showIssue(issue)}`,
    { place: folder, next: 'This is a defect of Understudy: please report it with this line.' },
  );
}

function showIssue(issue: z.core.$ZodIssue | undefined): string {
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  return `${where}${issue?.message ?? 'not as expected'}`;
}

function idOf(folder: string): string {
  return folder.split('/').at(-1) ?? folder;
}

/** Returns how many lines the parts of a kind have in total. */
export function countLines(parts: readonly Part[], kind: PartKind): number {
  return parts.reduce((sum, part) => sum + (part.kind === kind ? part.count : 0), 0);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
