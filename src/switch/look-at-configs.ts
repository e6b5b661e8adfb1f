/**
 * Inspects the config targets of one host, on that host, before a failover: does what the rewriting would do, but
 * writes nothing.
 */
import { z } from 'zod';
import type { ConfigFileOutcome, EarlierRun, TargetFiles } from '../config-files/outcome.ts';
import { lookAtConfigs } from '../config-files/targets.ts';
import type { WorkspaceMapping } from '../config-files/mapping.ts';
import { isDefect, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import type { Environments } from '../run/environment.ts';
import type { RunReference } from '../run/reference.ts';
import { inTime } from '../run/work/in-time.ts';
import type { ConfigTarget } from '../topology/topology.ts';
import { rememberFiles } from './config-overlaps.ts';
import { declaredMapping, readMapping, type DeclaredMove } from './config-mapping.ts';
import { readEarlierRun } from './earlier-run.ts';

/** The request to a host's worker. Small and without secrets, because Temporal stores it. */
export interface HostLookRequest extends DeclaredMove, Pick<RunReference, 'controlStore'> {
  host: string;
  targets: ConfigTarget[];
  /** The run whose move the rewriting reverses. */
  backFrom?: string;
  recoveryPoint: RecoveryPointRef;
  /** What was not inspected by then counts as unknown. */
  deadlineSeconds: number;
}

/** One finding about a target. */
export const TargetFinding = z.object({
  severity: z
    .enum(['fails', 'warning', 'unknown'])
    .describe('fails: the rewriting would fail here. unknown: this could not be looked at'),
  file: z.string(),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
  found: z.string(),
  expected: z.string(),
  next: z.string(),
});
export type TargetFinding = z.infer<typeof TargetFinding>;

/** What was found about one target. */
export const TargetLook = z.object({
  host: z.string(),
  target: z.string().describe('The file, or the Git working copy'),
  state: z
    .enum(['ready', 'fails', 'unknown'])
    .describe('Whether its rewriting would succeed; unknown: nobody can tell'),
  files: z.int().describe('Files that can be rewritten'),
  changes: z.int().describe('Values that would be changed in them'),
  restored: z.int().optional().describe('Files of them that get the content again that they had before the move'),
  findings: z.array(TargetFinding),
  more: z.int().optional().describe('How many findings there are more'),
});
export type TargetLook = z.infer<typeof TargetLook>;

/** How many findings to return: the result passes through Temporal. */
const mostFindings = 50;

/** Inspects all targets of the request concurrently. What cannot be inspected in time is reported as unknown. */
export function hostLooker({ azure, openStore }: Pick<Environments, 'azure' | 'openStore'>) {
  return async (request: HostLookRequest, signal: AbortSignal): Promise<TargetLook[]> => {
    // Most of the time is left for the files: they can be inspected without Azure's own ids.
    const [mappingMs, allMs] = [request.deadlineSeconds * 400, request.deadlineSeconds * 800];
    const started = Date.now();
    const { doubts, ...known } = await likelyMapping({ azure, openStore }, request, {
      ms: mappingMs,
      signal,
    });
    const left = allMs - (Date.now() - started);
    const looks = await Promise.all(
      request.targets.map(async (declared) => {
        const target = targetFrom(declared);
        try {
          return { target, seen: await within(left, lookAtConfigs({ target, ...known })) };
        } catch (error) {
          if (isDefect(error)) throw error;
          return { target, unknown: unknownLook(target, messageOf(error), 'Look at it there, and plan again.') };
        }
      }),
    );
    const overlaps = rememberFiles();
    const told: TargetLook[] = [];
    for (const { target, seen, unknown } of looks) {
      if (seen === undefined) told.push(unknown);
      else {
        const { files, findings } = seen;
        const shared = await overlaps.add(target, nameOfTarget(target), files);
        told.push(lookOf(target, [...findings, ...shared, ...doubts], files));
      }
    }
    return told;
  };
}

/** Converts a target of a topology for the rewriting of config files. */
export function targetFrom(declared: ConfigTarget): TargetFiles {
  if (!('git' in declared)) return declared;
  const { host, git, files, branch } = declared;
  return { host, git, files, ...(branch === undefined ? {} : { branch }) };
}

/** A target's name for people. */
function nameOfTarget(target: ConfigTarget | TargetFiles): string {
  return 'git' in target ? target.git : String(target.file);
}

/** The result for a target that could not be inspected: why, and what to do. */
export function unknownLook(target: ConfigTarget | TargetFiles, found: string, next: string): TargetLook {
  const finding: TargetFinding = {
    severity: 'unknown',
    file: nameOfTarget(target),
    found,
    expected: 'a look at it before the move',
    next,
  };
  return lookOf(target, [finding], []);
}

function lookOf(
  target: ConfigTarget | TargetFiles,
  findings: TargetFinding[],
  files: readonly ConfigFileOutcome[],
): TargetLook {
  const has = (severity: TargetFinding['severity']) => findings.some((each) => each.severity === severity);
  const rank = { fails: 0, unknown: 1, warning: 2 } as const;
  const restored = files.filter(({ status }) => status === 'restored').length;
  const sorted = findings.toSorted((one, other) => rank[one.severity] - rank[other.severity]);
  return {
    host: target.host,
    target: nameOfTarget(target),
    state: has('fails') ? 'fails' : has('unknown') ? 'unknown' : 'ready',
    files: files.length,
    changes: files.reduce((sum, { changes }) => sum + changes.length, 0),
    ...(restored > 0 ? { restored } : {}),
    findings: sorted.slice(0, mostFindings),
    ...(sorted.length > mostFindings ? { more: sorted.length - mostFindings } : {}),
  };
}

interface LikelyMapping {
  mapping: WorkspaceMapping;
  backFrom?: EarlierRun;
  doubts: TargetFinding[];
}

/**
 * Returns the mapping that the rewriting would use, and what the run did whose move it reverses. If that cannot be read
 * now, returns what the topology says, and a finding about it.
 */
async function likelyMapping(
  { azure, openStore }: Pick<Environments, 'azure' | 'openStore'>,
  request: HostLookRequest,
  { ms, signal }: { ms: number; signal: AbortSignal },
): Promise<LikelyMapping> {
  const inTimeSignal = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  // Nothing is written, so a placeholder address is good enough.
  const awaited = (endpoint: string) => `https://${endpoint}.not-there-yet.invalid/score`;
  try {
    const read = async () => {
      const store = await openStore(request);
      const { backFrom, host } = request;
      return {
        mapping: await readMapping({ ...request, azure, store, signal: inTimeSignal, awaited }),
        ...(backFrom === undefined ? {} : { backFrom: await readEarlierRun(store, backFrom, host) }),
      };
    };
    return { ...(await within(ms, read())), doubts: [] };
  } catch (error) {
    if (isDefect(error)) throw error;
    const isBuiltLater = isUnderstudyError(error, 'PreconditionError');
    const doubt: TargetFinding = {
      severity: isBuiltLater ? 'warning' : 'unknown',
      file: request.host,
      found: `only the workspace's names and ids were looked for, not its storage and endpoints: ${messageOf(error)}`,
      expected: 'the recovery point and the standby, read from this host',
      next: isBuiltLater
        ? 'Plan again once the standby is there.'
        : 'See that this host reaches the control store and Azure, and plan again.',
    };
    return { mapping: declaredMapping(request), doubts: [doubt] };
  }
}

/** No answer is an Error that says how long was waited. */
function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  return inTime(answer, ms, `no answer within ${(ms / 1000).toFixed(1)}s`);
}
