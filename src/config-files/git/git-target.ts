import { join } from 'node:path';
import { diffConfig } from '../diff.ts';
import { ConfigError } from '../error.ts';
import { GitWorkingCopy, nulList } from './git.ts';
import {
  checkedOutBranch,
  commitFiles,
  filesTrailer,
  findRunCommit,
  trackedFiles,
  trailer,
} from './git-commit.ts';
import type { ConfigFileOutcome, ConfigOutcome, ConfigRequest, GitTarget } from '../outcome.ts';
import { decodeConfig, rewriteConfig, type RewrittenConfig } from '../rewrite.ts';
import { assertWritable, readConfigFile, replaceFile, type ConfigFile } from '../write.ts';

interface PlannedFile {
  /** From the working copy's folder, as Git names it. */
  path: string;
  current: ConfigFile;
  before: Buffer;
  rewritten: RewrittenConfig;
}

type GitRequest = ConfigRequest & { target: GitTarget };

/** Rewrites a working copy's files and makes one commit of them; none when nothing changes. */
export async function applyGit(request: GitRequest): Promise<ConfigOutcome> {
  const { copy, branch } = await openTarget(request);
  const made = await findRunCommit(copy, request.runId, request.target);
  if (made) return outcomeOfCommit(copy, branch, made, request);
  const planned = await planFiles(copy, request);
  const changing = planned.filter(({ rewritten }) => rewritten.changes.length > 0);
  for (const { current } of changing) await assertWritable(current);
  await request.observe?.({ kind: 'checked' });
  if (changing.length === 0)
    return { files: planned.map((plan) => outcomeOf(plan, request)), undo: { kind: 'none' } };
  for (const { path, current, rewritten } of changing) {
    const after = Buffer.from(rewritten.content);
    if (!current.bytes.equals(after)) await replaceFile(current, after);
    await request.observe?.({ kind: 'written', file: path });
  }
  const commit = await commitOrPutBack(copy, changing, request);
  await request.observe?.({ kind: 'committed', commit });
  return committed(copy, { branch, commit, request }, planned);
}

/** What `applyGit` would do; writes nothing. */
export async function previewGit(request: GitRequest): Promise<ConfigOutcome> {
  const { copy, branch } = await openTarget(request);
  const made = await findRunCommit(copy, request.runId, request.target);
  if (made) return outcomeOfCommit(copy, branch, made, request);
  const planned = await planFiles(copy, request);
  for (const { current, rewritten } of planned)
    if (rewritten.changes.length > 0) await assertWritable(current);
  return { files: planned.map((plan) => outcomeOf(plan, request)), undo: { kind: 'none' } };
}

async function openTarget({ target, runId }: GitRequest): Promise<{ copy: GitWorkingCopy; branch: string }> {
  if (!/^\S(?:[^\r\n]*\S)?$/.test(runId)) {
    throw new ConfigError(
      { file: target.git },
      'the run id is empty, or has a line break or a space at its ends',
    );
  }
  const copy = new GitWorkingCopy(target.git);
  return { copy, branch: await checkedOutBranch(copy, target.branch) };
}

function rewriteBytes(path: string, bytes: Buffer, { target, mapping }: GitRequest): RewrittenConfig {
  const format = target.format ? { format: target.format } : {};
  return rewriteConfig({ file: path, content: decodeConfig(path, bytes), mapping, ...format });
}

async function planFiles(copy: GitWorkingCopy, request: GitRequest): Promise<PlannedFile[]> {
  const paths = await trackedFiles(copy, request.target.files);
  const changed = [
    'diff',
    '--name-only',
    '--relative',
    '-z',
    '--no-renames',
    '--no-ext-diff',
    '--ignore-submodules',
  ];
  const dirty = new Set([
    ...nulList(await copy.run([...changed, 'HEAD'])),
    ...nulList(await copy.run([...changed, '--cached', 'HEAD'])),
  ]);
  const planned: PlannedFile[] = [];
  for (const path of paths) {
    const read = await readConfigFile(join(copy.path, path));
    const current = { ...read, file: path };
    const before = dirty.has(path) ? await interruptedBase(copy, current, request) : current.bytes;
    planned.push({ path, current, before, rewritten: rewriteBytes(path, before, request) });
  }
  return planned;
}

/**
 * A file with uncommitted changes is taken up again when they are exactly those this rewriting makes (an earlier try
 * was interrupted before its commit); its committed content is then the base. Any other change is a person's: refused.
 */
async function interruptedBase(
  copy: GitWorkingCopy,
  current: ConfigFile,
  request: GitRequest,
): Promise<Buffer> {
  const path = current.file;
  const head = await copy.fileAt('HEAD', path);
  const index = await copy.fileAt('', path);
  if (head && index) {
    const ours = Buffer.from(rewriteBytes(path, head, request).content);
    const isKnown = (bytes: Buffer): boolean => bytes.equals(head) || bytes.equals(ours);
    const isOurs = current.bytes.equals(ours) || index.equals(ours);
    if (isKnown(current.bytes) && isKnown(index) && isOurs && !ours.equals(head)) return head;
  }
  throw new ConfigError(
    { file: path },
    `the file has uncommitted changes in "${copy.path}": commit or drop them first`,
  );
}

/** Commits; when Git refuses (a hook, a lock), the files and the index are put back as they were, and it is said. */
async function commitOrPutBack(
  copy: GitWorkingCopy,
  changing: readonly PlannedFile[],
  request: GitRequest,
): Promise<string> {
  const { mapping, runId, target, observe } = request;
  const { from, to } = mapping;
  const paths = changing.map(({ path }) => path);
  const message = [
    `Point configs from ${from.name} to ${to.name}`,
    `From workspace "${from.name}" (resource group "${from.resourceGroup}", ${from.location})\n` +
      `to workspace "${to.name}" (resource group "${to.resourceGroup}", ${to.location}).`,
    `${trailer.run}: ${runId}\n${filesTrailer(target)}`,
  ];
  try {
    return await commitFiles(copy, paths, message, () => observe?.({ kind: 'staged' }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { path, before } of changing) {
      const current = await readConfigFile(join(copy.path, path));
      await replaceFile(current, before);
    }
    await copy.runOn(paths, ['reset', '--quiet']);
    throw error;
  }
}

async function outcomeOfCommit(
  copy: GitWorkingCopy,
  branch: string,
  commit: string,
  request: GitRequest,
): Promise<ConfigOutcome> {
  const planned: PlannedFile[] = [];
  for (const path of await trackedFiles(copy, request.target.files)) {
    const before = await copy.fileAt(`${commit}^`, path);
    if (!before) continue;
    const current = { file: path, realPath: join(copy.path, path), bytes: before };
    planned.push({ path, current, before, rewritten: rewriteBytes(path, before, request) });
  }
  return committed(copy, { branch, commit, request }, planned);
}

function committed(
  copy: GitWorkingCopy,
  made: { branch: string; commit: string; request: GitRequest },
  planned: readonly PlannedFile[],
): ConfigOutcome {
  const { branch, commit, request } = made;
  const files = planned.filter(({ rewritten }) => rewritten.changes.length > 0).map(({ path }) => path);
  return {
    files: planned.map((plan) => outcomeOf(plan, request)),
    commit,
    undo: { kind: 'git', runId: request.runId, git: copy.path, branch, commit, files },
  };
}

function outcomeOf({ path, before, rewritten }: PlannedFile, { target }: GitRequest): ConfigFileOutcome {
  const { changes, warnings, content } = rewritten;
  const format = target.format ? { format: target.format } : {};
  const diff = diffConfig({ file: path, before: decodeConfig(path, before), after: content, ...format });
  return { file: path, status: changes.length > 0 ? 'changed' : 'unchanged', changes, warnings, diff };
}
