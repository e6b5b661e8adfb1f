import { applyFiles, lookAtFiles, undoFiles } from './file-target.ts';
import { applyGit, lookAtGit } from './git/git-target.ts';
import { undoGit } from './git/git-undo.ts';
import type {
  ConfigLook,
  ConfigOutcome,
  ConfigRequest,
  ConfigUndo,
  ConfigUndoOutcome,
  LookRequest,
} from './outcome.ts';

/**
 * Rewrites the config files of one target, all or (when one cannot be) none. May be run again with the same
 * run id after an interruption at any moment: it finishes, and returns the same outcome. Secrets are masked
 * in the outcome.
 *
 * @throws ConfigError when a file is missing, read-only, malformed, outside of the target, or has a person's
 *   uncommitted changes; nothing is changed then.
 */
export async function applyConfigs(request: ConfigRequest): Promise<ConfigOutcome> {
  const { target } = request;
  return 'git' in target ? applyGit({ ...request, target }) : applyFiles({ ...request, target });
}

/**
 * Makes all the checks that `applyConfigs` makes, and says everything that would make it fail, not only the
 * first; and what a person should know although it would not. Writes nothing.
 */
export async function lookAtConfigs(request: LookRequest): Promise<ConfigLook> {
  const { target } = request;
  return 'git' in target ? lookAtGit({ ...request, target }) : lookAtFiles({ ...request, target });
}

/**
 * Takes an outcome back. A file that someone wrote after us is left as it is, and named. May be run again.
 * Does not throw for a file that cannot be restored: its status and reason say so.
 */
export async function undoConfigs(undo: ConfigUndo): Promise<ConfigUndoOutcome> {
  switch (undo.kind) {
    case 'none':
      return { files: [] };
    case 'files':
      return undoFiles(undo);
    case 'git':
      return undoGit(undo);
    default:
      throw new TypeError(`unknown undo: ${JSON.stringify(undo satisfies never)}`);
  }
}
