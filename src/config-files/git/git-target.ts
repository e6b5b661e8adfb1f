/** Files of a Git working copy: checked, rewritten, and committed in one commit. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { assertReplaceable, readConfigFile, type ConfigFile } from '../config-file.ts';
import { collectRefusals, ConfigError, throwRefusals } from '../error.ts';
import { failing, namesNothing, warningsOf } from '../findings.ts';
import type { ConfigFinding, ConfigLook, ConfigOutcome, ConfigRequest, GitTarget } from '../outcome.ts';
import { outcomeOf, rewriteFile, type RewrittenFile } from '../rewrite-file.ts';
import { replaceFile } from '../write.ts';
import { GitWorkingCopy } from './git.ts';
import { checkedOutBranch, patienceMs, requireUnlocked, requireWorkingCopy } from './git-checks.ts';
import { commitFiles, findRunCommit, trailersOf } from './git-commit.ts';
import { requireSeen, trackedFiles } from './git-files.ts';
import { lookAtCommit, requireSigner } from './git-hooks.ts';
import { holdRepository, requireWritableRepository } from './git-lock.ts';
import { orPutBack, putBack } from './git-put-back.ts';
import { lookAtRemote } from './git-remote.ts';
import { interruptedBase, uncommitted, type GitLookRequest } from './git-state.ts';

interface PlannedFile {
  /** Relative to the working copy's folder, as Git names it. */
  path: string;
  current: ConfigFile;
  before: Buffer;
  rewritten: RewrittenFile;
}

type GitRequest = ConfigRequest & { target: GitTarget };

/**
 * Rewrites a working copy's files in one commit. Makes no commit if nothing changes. Waits while another rewriting
 * works in the same repository.
 */
export async function applyGit(request: GitRequest): Promise<ConfigOutcome> {
  const { target, runId, observe } = request;
  requireRunId(target, runId);
  const copy = new GitWorkingCopy(target.git);
  await requireWorkingCopy(copy);
  return holdRepository(
    copy,
    () => rewriteFiles(copy, request),
    () => observe?.({ kind: 'waiting' }),
  );
}

async function rewriteFiles(copy: GitWorkingCopy, request: GitRequest): Promise<ConfigOutcome> {
  const branch = await checkedOutBranch(copy, request.target.branch);
  const made = await findRunCommit(copy, request);
  if (made) return outcomeOfCommit(copy, branch, made, request);
  const { planned, refused } = await checkFiles(copy, branch, request, patienceMs);
  throwRefusals(refused);
  const changing = planned.filter(isChanging);
  await request.observe?.({ kind: 'checked' });
  if (changing.length === 0) return { files: outcomesOf(planned, request), undo: { kind: 'none' } };
  const commit = await writeAndCommit(copy, branch, changing, request);
  await request.observe?.({ kind: 'committed', commit });
  return committed(copy, { branch, commit, request }, planned);
}

/** Returns what `applyGit` would do, and everything that would make it fail. Writes nothing, here or in a remote. */
export async function lookAtGit(request: GitLookRequest): Promise<ConfigLook> {
  const { target, runId } = request;
  const copy = new GitWorkingCopy(target.git);
  const refused: ConfigError[] = [];
  const branch = await collectRefusals(refused, async () => {
    if (runId !== undefined) requireRunId(target, runId);
    await requireWorkingCopy(copy);
    return checkedOutBranch(copy, target.branch);
  });
  if (branch === undefined) return { files: [], findings: refused.map(failing) };
  const made = runId === undefined ? undefined : await findRunCommit(copy, { ...request, runId });
  if (made)
    return {
      files: outcomesOf(await plansOfCommit(copy, made, request), request),
      findings: [],
    };
  const [checked, remote] = await Promise.all([checkFiles(copy, branch, request), lookAtRemote(copy, branch)]);
  const files = outcomesOf(checked.planned, request);
  const idle =
    files.length > 0 && files.every(({ status, warnings }) => status === 'unchanged' && warnings.length === 0);
  const commit = checked.planned.some(isChanging) ? await lookAtCommit(copy) : [];
  const nothing: ConfigFinding[] = idle ? [namesNothing({ file: copy.path }, request.mapping)] : [];
  return {
    files,
    findings: [...checked.refused.map(failing), ...nothing, ...files.flatMap(warningsOf), ...commit, ...remote],
  };
}

/** The run id becomes a line of a commit message, by which the commit is found again. */
function requireRunId({ git }: GitTarget, runId: string): void {
  if (/^\S(?:[^\r\n]*\S)?$/.test(runId)) return;
  throw new ConfigError(
    { file: git },
    {
      found: 'the run id is empty, or has a line break or a space at its ends',
      expected: 'one line',
      next: 'Start another run.',
    },
  );
}

function isChanging({ rewritten }: PlannedFile): boolean {
  return rewritten.changes.length > 0;
}

/** Returns the files that can be rewritten, and the problems with the others and with the working copy. */
async function checkFiles(
  copy: GitWorkingCopy,
  branch: string,
  request: GitLookRequest,
  oldLockMs = 0,
): Promise<{ planned: PlannedFile[]; refused: ConfigError[] }> {
  const refused: ConfigError[] = [];
  const tracked = await trackedFiles(copy, request.target.files, refused);
  const dirty = await uncommitted(copy);
  const planned: PlannedFile[] = [];
  for (const file of tracked) {
    await collectRefusals(refused, async () => {
      const { path } = file;
      requireSeen(file);
      const current = { ...(await readConfigFile(join(copy.path, path), copy.path)), file: path };
      const before = dirty.has(path) ? await interruptedBase(copy, current, request) : current.bytes;
      const rewritten = await rewriteFile({ ...current, bytes: before }, request);
      const plan = { path, current, before, rewritten };
      if (isChanging(plan)) await assertReplaceable(current);
      planned.push(plan);
    });
  }
  if (planned.some(isChanging)) {
    await collectRefusals(refused, () => requireUnlocked(copy, branch, oldLockMs));
    await collectRefusals(refused, () => requireWritableRepository(copy));
    await collectRefusals(refused, () => requireSigner(copy));
  }
  return { planned, refused };
}

/** Writes and commits. If anything is refused (by a hook, a lock), files and index are restored. */
async function writeAndCommit(
  copy: GitWorkingCopy,
  branch: string,
  changing: readonly PlannedFile[],
  request: GitRequest,
): Promise<string> {
  const { mapping, observe } = request;
  const { from, to } = mapping;
  const message = [
    `Point configs from ${from.name} to ${to.name}`,
    `From workspace "${from.name}" (resource group "${from.resourceGroup}", ${from.location})\n` +
      `to workspace "${to.name}" (resource group "${to.resourceGroup}", ${to.location}).`,
    trailersOf(request).join('\n'),
  ];
  const files = changing.map(({ path, current, before, rewritten }) => ({
    path,
    current,
    before,
    after: Buffer.from(rewritten.content),
  }));
  let isCommitting = false;
  return orPutBack(
    async () => {
      for (const { path, current, after } of files) {
        if (!current.bytes.equals(after)) await replaceFile(current, after);
        await observe?.({ kind: 'written', file: path });
      }
      isCommitting = true;
      return commitFiles(copy, {
        paths: files.map(({ path }) => path),
        message,
        find: () => findRunCommit(copy, request),
        staged: () => observe?.({ kind: 'staged' }),
      });
    },
    async () => {
      await putBack(copy, branch, files, isCommitting);
      await observe?.({ kind: 'put-back' });
    },
  );
}

async function outcomeOfCommit(
  copy: GitWorkingCopy,
  branch: string,
  commit: string,
  request: GitRequest,
): Promise<ConfigOutcome> {
  return committed(copy, { branch, commit, request }, await plansOfCommit(copy, commit, request));
}

/** Returns what this run's commit changed, computed again from the commit before it. */
async function plansOfCommit(copy: GitWorkingCopy, commit: string, request: GitLookRequest): Promise<PlannedFile[]> {
  const planned: PlannedFile[] = [];
  const refused: ConfigError[] = [];
  const tracked = await trackedFiles(copy, request.target.files, refused);
  throwRefusals(refused);
  const folder = await realpath(copy.path);
  for (const { path } of tracked) {
    const before = await copy.fileAt(`${commit}^`, path);
    if (!before) continue;
    const current = { file: path, realPath: join(folder, path), bytes: before };
    planned.push({ path, current, before, rewritten: await rewriteFile(current, request) });
  }
  return planned;
}

function committed(
  copy: GitWorkingCopy,
  made: { branch: string; commit: string; request: GitRequest },
  planned: readonly PlannedFile[],
): ConfigOutcome {
  const { branch, commit, request } = made;
  const files = planned.filter(isChanging).map(({ path }) => path);
  return {
    files: outcomesOf(planned, request),
    commit,
    undo: { kind: 'git', runId: request.runId, git: copy.path, branch, commit, files },
  };
}

function outcomesOf(planned: readonly PlannedFile[], request: GitLookRequest): ConfigOutcome['files'] {
  return planned.map(({ path, rewritten }) => outcomeOf(path, rewritten, request));
}
