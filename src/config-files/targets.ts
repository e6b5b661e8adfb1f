import { applyFiles, lookAtFiles, undoBegunFiles, undoFiles } from './file-target.ts';
import { applyGit, lookAtGit } from './git/git-target.ts';
import type { Waiting } from './git/git-lock.ts';
import { undoBegunGit } from './git/git-undo-begun.ts';
import { undoGit } from './git/git-undo.ts';
import type {
  BegunRequest,
  ConfigLook,
  ConfigOutcome,
  ConfigRequest,
  ConfigUndo,
  ConfigUndoOutcome,
  LookRequest,
} from './outcome.ts';

/**
 * Rewrites the config files of one target: all of them, or none if one cannot be rewritten. Idempotent: called again
 * with the same run id after an interruption at any moment, it finishes and returns the same outcome. Secrets are
 * masked in the outcome.
 *
 * @throws ConfigError if a file is missing, read-only, malformed, outside the target, or has a person's uncommitted
 * changes. Nothing is changed then.
 */
export async function applyConfigs(request: ConfigRequest): Promise<ConfigOutcome> {
  const { target } = request;
  return 'git' in target ? applyGit({ ...request, target }) : applyFiles({ ...request, target });
}

/**
 * Makes all the checks of `applyConfigs`, and reports everything that would make it fail, not only the first problem,
 * and what a person should know although it would not fail. Writes nothing.
 */
export async function lookAtConfigs(request: LookRequest): Promise<ConfigLook> {
  const { target } = request;
  return 'git' in target ? lookAtGit({ ...request, target }) : lookAtFiles({ ...request, target });
}

/**
 * Undoes an outcome. A file that someone has changed since is left unchanged, and named. Idempotent. Does not throw for
 * a file that cannot be restored: its status and reason say so.
 */
export async function undoConfigs(undo: ConfigUndo, waiting?: Waiting): Promise<ConfigUndoOutcome> {
  switch (undo.kind) {
    case 'none':
      return { files: [] };
    case 'files':
      return undoFiles(undo);
    case 'git':
      return undoGit(undo, waiting);
    default:
      throw new TypeError(`unknown undo: ${JSON.stringify(undo satisfies never)}`);
  }
}

/**
 * Undoes a rewriting that was interrupted or refused: finds out what it changed, if anything, and restores that. Never
 * rewrites or commits forward. Idempotent, and as `undoConfigs` otherwise.
 */
export async function undoBegunConfigs(request: BegunRequest, waiting?: Waiting): Promise<ConfigUndoOutcome> {
  const { target } = request;
  return 'git' in target ? undoBegunGit({ ...request, target }, waiting) : undoBegunFiles({ ...request, target });
}
