/** Files of a Git working copy: checked, rewritten, and committed in one commit. */
import { join } from 'node:path';
import { assertReplaceable, readConfigFile, type ConfigFile } from '../config-file.ts';
import { diffConfig } from '../diff.ts';
import { collectRefusals, ConfigError, throwRefusals } from '../error.ts';
import { failing, namesNothing, warningsOf } from '../findings.ts';
import type {
  ConfigFileOutcome,
  ConfigFinding,
  ConfigLook,
  ConfigOutcome,
  ConfigRequest,
  GitTarget,
  LookRequest,
} from '../outcome.ts';
import { decodeConfig, rewriteConfig, type RewrittenConfig } from '../rewrite.ts';
import { replaceFile } from '../write.ts';
import { GitWorkingCopy, nulList } from './git.ts';
import { checkedOutBranch, requireUnlocked, requireWorkingCopy, trackedFiles } from './git-checks.ts';
import { commitFiles, filesTrailer, findRunCommit, trailer } from './git-commit.ts';
import { lookAtRemote } from './git-remote.ts';

interface PlannedFile {
  /** Relative to the working copy's folder, as Git names it. */
  path: string;
  current: ConfigFile;
  before: Buffer;
  rewritten: RewrittenConfig;
}

type GitRequest = ConfigRequest & { target: GitTarget };
type GitLookRequest = LookRequest & { target: GitTarget };

/** Rewrites a working copy's files in one commit. Makes no commit if nothing changes. */
export async function applyGit(request: GitRequest): Promise<ConfigOutcome> {
  const { target, runId } = request;
  requireRunId(target, runId);
  const copy = new GitWorkingCopy(target.git);
  await requireWorkingCopy(copy);
  const branch = await checkedOutBranch(copy, target.branch);
  const made = await findRunCommit(copy, runId, target);
  if (made) return outcomeOfCommit(copy, branch, made, request);
  const { planned, refused } = await checkFiles(copy, branch, request);
  throwRefusals(refused);
  const changing = planned.filter(isChanging);
  await request.observe?.({ kind: 'checked' });
  if (changing.length === 0) return { files: planned.map((plan) => outcomeOf(plan, request)), undo: { kind: 'none' } };
  for (const { path, current, rewritten } of changing) {
    const after = Buffer.from(rewritten.content);
    if (!current.bytes.equals(after)) await replaceFile(current, after);
    await request.observe?.({ kind: 'written', file: path });
  }
  const commit = await commitOrPutBack(copy, changing, request);
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
  const made = runId === undefined ? undefined : await findRunCommit(copy, runId, target);
  if (made)
    return {
      files: (await filesOfCommit(copy, made, request)).map((plan) => outcomeOf(plan, request)),
      findings: [],
    };
  const [checked, remote] = await Promise.all([checkFiles(copy, branch, request), lookAtRemote(copy, branch)]);
  const files = checked.planned.map((plan) => outcomeOf(plan, request));
  const idle =
    files.length > 0 && files.every(({ status, warnings }) => status === 'unchanged' && warnings.length === 0);
  const nothing: ConfigFinding[] = idle ? [namesNothing({ file: copy.path }, request.mapping)] : [];
  return {
    files,
    findings: [...checked.refused.map(failing), ...nothing, ...files.flatMap(warningsOf), ...remote],
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

function rewriteBytes(path: string, bytes: Buffer, { target, mapping }: GitLookRequest): RewrittenConfig {
  const format = target.format ? { format: target.format } : {};
  return rewriteConfig({ file: path, content: decodeConfig(path, bytes), mapping, ...format });
}

/** Returns the files that can be rewritten, and the problems with the others and with the working copy. */
async function checkFiles(
  copy: GitWorkingCopy,
  branch: string,
  request: GitLookRequest,
): Promise<{ planned: PlannedFile[]; refused: ConfigError[] }> {
  const refused: ConfigError[] = [];
  const paths = await trackedFiles(copy, request.target.files, refused);
  const dirty = await uncommitted(copy);
  const planned: PlannedFile[] = [];
  for (const path of paths) {
    await collectRefusals(refused, async () => {
      const current = { ...(await readConfigFile(join(copy.path, path), copy.path)), file: path };
      const before = dirty.has(path) ? await interruptedBase(copy, current, request) : current.bytes;
      const plan = { path, current, before, rewritten: rewriteBytes(path, before, request) };
      if (isChanging(plan)) await assertReplaceable(current);
      planned.push(plan);
    });
  }
  if (planned.some(isChanging)) await collectRefusals(refused, () => requireUnlocked(copy, branch));
  return { planned, refused };
}

/** Returns the files that differ from the last commit, staged or not. */
async function uncommitted(copy: GitWorkingCopy): Promise<Set<string>> {
  const changed = ['diff', '--name-only', '--relative', '-z', '--no-renames', '--no-ext-diff', '--ignore-submodules'];
  return new Set([
    ...nulList(await copy.run([...changed, 'HEAD'])),
    ...nulList(await copy.run([...changed, '--cached', 'HEAD'])),
  ]);
}

/**
 * Continues with a file that has uncommitted changes only if they are exactly those of this rewriting (an earlier
 * attempt was interrupted before its commit). Its committed content is then the base. Any other change belongs to a
 * person, and the file is refused.
 */
async function interruptedBase(copy: GitWorkingCopy, current: ConfigFile, request: GitLookRequest): Promise<Buffer> {
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
    {
      found: `the file has uncommitted changes in "${copy.path}"`,
      expected: 'none, since they would get into the commit',
      next: 'Commit them, or put them away ("git stash").',
    },
  );
}

/** Commits. If Git refuses (a hook, a lock), the files and the index are restored, and the error is thrown. */
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
      const current = await readConfigFile(join(copy.path, path), copy.path);
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
  return committed(copy, { branch, commit, request }, await filesOfCommit(copy, commit, request));
}

/** Returns what this run's commit changed, computed again from the commit before it. */
async function filesOfCommit(copy: GitWorkingCopy, commit: string, request: GitLookRequest): Promise<PlannedFile[]> {
  const planned: PlannedFile[] = [];
  const refused: ConfigError[] = [];
  const paths = await trackedFiles(copy, request.target.files, refused);
  throwRefusals(refused);
  for (const path of paths) {
    const before = await copy.fileAt(`${commit}^`, path);
    if (!before) continue;
    const current = { file: path, realPath: join(copy.path, path), bytes: before };
    planned.push({ path, current, before, rewritten: rewriteBytes(path, before, request) });
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
    files: planned.map((plan) => outcomeOf(plan, request)),
    commit,
    undo: { kind: 'git', runId: request.runId, git: copy.path, branch, commit, files },
  };
}

function outcomeOf({ path, before, rewritten }: PlannedFile, { target }: GitLookRequest): ConfigFileOutcome {
  const { changes, warnings, content } = rewritten;
  const format = target.format ? { format: target.format } : {};
  const diff = diffConfig({ file: path, before: decodeConfig(path, before), after: content, ...format });
  return { file: path, status: changes.length > 0 ? 'changed' : 'unchanged', changes, warnings, diff };
}
