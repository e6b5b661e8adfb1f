/** What was done, for people on stderr while it happens and for programs on stdout at the end. */

export type Outcome = 'created' | 'updated' | 'unchanged';

export interface Entry {
  kind: string;
  name: string;
  version?: string;
  id: string;
  outcome: Outcome;
}

export interface Summary {
  workspace: string;
  entries: Entry[];
  uploads: { files: number; sizeBytes: number; transferredBytes: number };
}

export type Progress = (line: string) => void;

export function describe(entry: Entry): string {
  return `${entry.outcome.padEnd(9)} ${entry.kind} ${entry.name}${entry.version === undefined ? '' : `:${entry.version}`}`;
}
