import type { ConfigFormat } from './documents/document.ts';
import type { ConfigPlace, Diagnosis } from './error.ts';
import type { WorkspaceMapping } from './mapping.ts';
import type { ConfigChange, ConfigWarning } from './rewrite.ts';

/** Files on the host whose task queue serves this target; absolute paths. */
export interface FileTarget {
  host: string;
  file: string | readonly string[];
  format?: ConfigFormat;
}

/**
 * A Git working copy on a host. `files` are globs as Git's `:(glob)` reads them, from the folder `git` names.
 */
export interface GitTarget {
  host: string;
  git: string;
  files: readonly string[];
  /** The branch that has to be checked out; without it, whichever is. */
  branch?: string;
  format?: ConfigFormat;
}

export type ConfigTarget = FileTarget | GitTarget;

/** A moment after which the work may stop and be taken up again: also when to heartbeat. */
export type ConfigMoment =
  | { kind: 'checked' }
  | { kind: 'backed-up'; file: string }
  | { kind: 'written'; file: string }
  | { kind: 'staged' }
  | { kind: 'committed'; commit: string };

/** Told of each moment before the work goes on; when it throws, the work stops there. */
export type ObserveConfigs = (moment: ConfigMoment) => void | Promise<void>;

export interface ConfigRequest {
  target: ConfigTarget;
  mapping: WorkspaceMapping;
  runId: string;
  /** Where backups of a file target go (mode 0700); by default `.understudy-backup` next to each file. */
  backupDirectory?: string;
  observe?: ObserveConfigs;
}

/** What a look at a target needs. With a run's id it sees what that run has done already. */
export type LookRequest = Omit<ConfigRequest, 'runId' | 'observe'> & { runId?: string };

export interface ConfigFileOutcome {
  file: string;
  status: 'changed' | 'unchanged';
  changes: ConfigChange[];
  warnings: ConfigWarning[];
  /** Unified, secrets masked; empty when unchanged. */
  diff: string;
}

export interface FileBackup {
  file: string;
  realPath: string;
  /** The backup's path. */
  backup: string;
  /** SHA-256 of the file before and after, in hexadecimal. */
  before: string;
  after: string;
}

/** How to take an outcome back: plain data, to be kept in a journal. */
export type ConfigUndo =
  | { kind: 'none' }
  | { kind: 'files'; runId: string; files: FileBackup[] }
  | { kind: 'git'; runId: string; git: string; branch: string; commit: string; files: string[] };

export interface ConfigOutcome {
  files: ConfigFileOutcome[];
  /** The commit made for a Git target; absent when nothing changed. */
  commit?: string;
  undo: ConfigUndo;
}

/** `fails`: the rewriting would fail here. `warning`: it would not, and a person should know. */
export interface ConfigFinding extends ConfigPlace, Diagnosis {
  severity: 'fails' | 'warning';
}

/** What a look at a target found: what the rewriting would do, and what is in its way. */
export interface ConfigLook {
  files: ConfigFileOutcome[];
  findings: ConfigFinding[];
}

/** `changed-since`: someone wrote the file after us, so it was left as it is. */
export type UndoStatus = 'restored' | 'already-restored' | 'changed-since' | 'failed';

export interface ConfigUndoOutcome {
  files: { file: string; status: UndoStatus; reason?: string }[];
  /** The commit that takes the other one back. */
  commit?: string;
}
