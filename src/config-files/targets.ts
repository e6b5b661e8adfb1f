import { applyFiles, previewFiles, undoFiles } from './file-target.ts';
import { applyGit, previewGit } from './git/git-target.ts';
import { undoGit } from './git/git-undo.ts';
import type { ConfigOutcome, ConfigRequest, ConfigUndo, ConfigUndoOutcome } from './outcome.ts';

/**
 * Rewrites the config files of one target, all or (when one cannot be) none. May be run again with the same run id
 * after an interruption at any moment: it finishes, and answers the same outcome. Secrets are masked in the outcome.
 *
 * @throws ConfigError when a file is missing, read-only, malformed, or has a person's uncommitted changes; nothing is
 *   changed then.
 */
export async function applyConfigs(request: ConfigRequest): Promise<ConfigOutcome> {
  const { target } = request;
  return 'git' in target ? applyGit({ ...request, target }) : applyFiles({ ...request, target });
}

/** The outcome `applyConfigs` would have, with all its checks; writes nothing. */
export async function previewConfigs(request: ConfigRequest): Promise<ConfigOutcome> {
  const { target } = request;
  return 'git' in target ? previewGit({ ...request, target }) : previewFiles({ ...request, target });
}

/**
 * Takes an outcome back. A file that someone wrote after us is left as it is, and named. May be run again. Does not
 * throw for a file that cannot be restored: its status and reason say so.
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
