import type { ConfigFormat } from './documents/document.ts';
import type { ConfigPlace, Diagnosis } from './error.ts';
import type { WorkspaceMapping } from './mapping.ts';
import type { ConfigChange, ConfigWarning } from './rewrite.ts';

/** Files on the host whose task queue serves this target. Absolute paths. */
export interface FileTarget {
  host: string;
  file: string | readonly string[];
  format?: ConfigFormat;
}

/** A Git working copy on a host. `files` are globs in the syntax of Git's `:(glob)`, relative to the folder `git`. */
export interface GitTarget {
  host: string;
  git: string;
  files: readonly string[];
  /** The branch that must be checked out. If absent, any branch. */
  branch?: string;
  format?: ConfigFormat;
}

export type TargetFiles = FileTarget | GitTarget;

/** A moment after which the work may be interrupted and retried, and at which to send a heartbeat. */
export type ConfigMoment =
  /** About once a second, while another rewriting works in the same repository. */
  | { kind: 'waiting' }
  | { kind: 'checked' }
  | { kind: 'backed-up'; file: string }
  | { kind: 'written'; file: string }
  | { kind: 'staged' }
  /** What was written is restored, since it could not be committed. */
  | { kind: 'put-back' }
  | { kind: 'committed'; commit: string };

/** Called at each moment before the work continues. If it throws, the work stops there. */
export type ObserveConfigs = (moment: ConfigMoment) => void | Promise<void>;

/** What to rewrite, and for which run. */
export interface ConfigRequest {
  target: TargetFiles;
  mapping: WorkspaceMapping;
  runId: string;
  /** The step of the run: it tells targets apart that look the same. */
  stepId?: string;
  /** The run whose move is reversed: files that are still as it wrote them get their original content again. */
  backFrom?: EarlierRun;
  /** Where to put backups of a file target (mode 0700). Default: `.understudy-backup` next to each file. */
  backupDirectory?: string;
  observe?: ObserveConfigs;
}

/** What an inspection of a target needs. With a run's id it recognizes what that run has already done. */
export type LookRequest = Omit<ConfigRequest, 'runId' | 'observe'> & { runId?: string };

/** What an undo needs of a rewriting of which only is known that it was begun. */
export interface BegunRequest extends Omit<ConfigRequest, 'mapping' | 'observe'> {
  /** Called only if something may have been written that is not committed. */
  mapping: () => Promise<WorkspaceMapping>;
}

/** What happened to one file. */
export interface ConfigFileOutcome {
  file: string;
  /** `restored`: it has the content again that it had before the run whose move is reversed. */
  status: 'changed' | 'restored' | 'unchanged';
  /** Why a file that the run wrote whose move is reversed does not get its original content. */
  reason?: string;
  changes: ConfigChange[];
  warnings: ConfigWarning[];
  /** Unified, secrets masked; empty when unchanged. */
  diff: string;
}

/** The backup of a file, and its digests. */
export interface FileBackup {
  file: string;
  realPath: string;
  /** The backup's path. */
  backup: string;
  /** SHA-256 of the file before and after, in hexadecimal. */
  before: string;
  after: string;
}

/** How to undo an outcome: plain data for the journal. */
export type ConfigUndo =
  | { kind: 'none' }
  | { kind: 'files'; runId: string; files: FileBackup[] }
  | { kind: 'git'; runId: string; git: string; branch: string; commit: string; files: string[] };

/** An earlier run, and what it recorded for the undo of its rewritings on this host. */
export interface EarlierRun {
  runId: string;
  undos: readonly ConfigUndo[];
}

/** The result of rewriting a target. */
export interface ConfigOutcome {
  files: ConfigFileOutcome[];
  /** The commit made for a Git target. Absent if nothing changed. */
  commit?: string;
  undo: ConfigUndo;
}

/** `fails`: the rewriting would fail here. `warning`: it would not, but a person should know. */
export interface ConfigFinding extends ConfigPlace, Diagnosis {
  severity: 'fails' | 'warning';
}

/** The result of an inspection: what the rewriting would do, and what prevents it. */
export interface ConfigLook {
  files: ConfigFileOutcome[];
  findings: ConfigFinding[];
}

/** `changed-since`: someone has changed the file since, so it was left unchanged. */
export type UndoStatus = 'restored' | 'already-restored' | 'changed-since' | 'failed';

/** The result of undoing a rewriting. */
export interface ConfigUndoOutcome {
  files: { file: string; status: UndoStatus; reason?: string }[];
  /** The commit that reverts the other one. */
  commit?: string;
}
