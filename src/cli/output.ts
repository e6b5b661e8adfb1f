/**
 * What a command prints: text for people, or one JSON document for programs. In JSON, standard output has the document
 * alone, and messages on the way go to the error stream.
 */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { isUnderstudyError, type UnderstudyError } from '../errors/error.ts';
import { describeFailure } from '../operations/documents/failure.ts';
import { paintFor, type Paint } from './view/colour.ts';

/** How one invocation of a command prints. */
export interface Output {
  json: boolean;
  /** Whether a person reads it on a terminal. */
  stream: NodeJS.WriteStream;
  paint: Paint;
  /** Prints a line for a person. */
  say: (line: string) => void;
}

/** What a command ends with. */
export interface Shown<T> {
  document: T;
  /** For people; absent: everything was printed on the way. */
  text?: string | undefined;
  /** The error, if the command failed; the document then has what it got to. Absent: it succeeded. */
  error?: UnderstudyError | undefined;
  exitCode?: number;
}

/** The schema of each command's document. */
const documents = new WeakMap<Command, z.ZodType>();

/** The schema of what the command prints with `--output json`; undefined for a group of commands. */
export function documentOf(of: Command): z.ZodType | undefined {
  return documents.get(of);
}

/** Gives a command its action, the option `--output`, and the schema of what it prints as JSON. */
export function shows<S extends z.ZodType>(
  of: Command,
  schema: S,
  work: (output: Output, ...rest: never[]) => Promise<Shown<z.input<S>>>,
  forms: readonly string[] = ['text', 'json'],
): Command {
  documents.set(of, schema);
  return of
    .addOption(new Option('--output <form>', 'how to print it').choices(forms).default('text'))
    .action(async (...rest: unknown[]) => {
      const output = outputOf(rest.at(-1) as Command);
      print(output, await work(output, ...(rest as never[])));
    });
}

function outputOf(self: Command): Output {
  const json = self.opts<{ output?: string }>().output === 'json';
  const stream = json ? process.stderr : process.stdout;
  return { json, stream, paint: paintFor(stream), say: (line) => void stream.write(`${line}\n`) };
}

function print({ json, say }: Output, { document, text, error, exitCode }: Shown<unknown>): void {
  if (exitCode !== undefined) process.exitCode = exitCode;
  if (!json && text !== undefined) say(text);
  if (error === undefined) {
    if (json) printJson(document);
    return;
  }
  if (!json) throw error;
  printJson({ ...(document as object), error: describeFailure(error) });
  process.exitCode = error.exitCode;
}

/** What `check` throws, to be shown next to a document. */
export function failureOf(check: () => void): { error?: UnderstudyError } {
  try {
    check();
    return {};
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    return { error };
  }
}

/** Prints a document, alone on standard output. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Whether a program reads the output, if the command line could not be parsed. */
export function wantsJson(argv: readonly string[]): boolean {
  return argv.some((word, index) => word === '--output=json' || (word === 'json' && argv[index - 1] === '--output'));
}

/** What a person is told of work that takes longer than this: nobody trusts a silent command. */
const slowMs = 3000;

/** Does the work, and says what it waits for if that takes a while. */
export async function tellIfSlow<T>(output: Output, line: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => output.say(line), slowMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
