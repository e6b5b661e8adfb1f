/**
 * Evidence that steps leave in the control store, as the report shows it. Each document is read once, checked against
 * the digest in its step's record, and parsed. One that does not match is named but not shown.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonical, type ControlStore } from '../control-store/store.ts';
import { messageOf } from '../errors/error.ts';
import type { Evidence, StepRecord } from '../run/work/outcome.ts';

/** A changed value. Empty if there was, or is, none. */
const Change = z
  .object({ place: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })
  .transform(({ place, from, to }) => ({ place, from: asLine(from), to: asLine(to) }))
  .pipe(z.strictObject({ place: z.string(), from: z.string(), to: z.string() }));
/** A value without a counterpart on the other side. */
const Unmapped = z
  .object({ place: z.string(), value: z.unknown(), reason: z.string() })
  .transform(({ place, value, reason }) => ({ place, value: asLine(value), reason }))
  .pipe(z.strictObject({ place: z.string(), value: z.string(), reason: z.string() }));
const OneLine = z
  .unknown()
  .transform((value) => asLine(value))
  .pipe(z.string());

/** One job, old → new: an item of evidence of kind `jobs`. */
export const JobEvidence = z.object({
  old: z.string(),
  new: z.string().optional(),
  /** The name that its owner knows, if the old job is itself a successor. */
  submittedAs: z.string().optional(),
  /** The job's class: `resubmit`, `restart`, `manual`, `skip`, …. */
  class: z.string(),
  reason: z.string(),
  /** `submitted`, `skipped`, `failed`. */
  outcome: z.string().optional(),
  /** Status in the old workspace, as last seen. */
  status: z.string().optional(),
  owner: z.string().optional(),
  priority: OneLine.optional(),
  checkpoint: OneLine.optional(),
  /** A checkpoint newer than the one that it resumes from, which was incomplete. */
  passedOver: z.object({ name: z.string(), why: z.string() }).optional(),
  /** The work that it loses. Absent if it was not interrupted, or if a person worked in it. */
  lost: z
    .object({
      since: z.string().optional(),
      from: z.enum(['checkpoint', 'submission', 'last look']),
      ms: z.number().nonnegative().optional(),
      gpus: z.number().nonnegative().optional(),
    })
    .optional(),
  changes: z.array(Change).optional(),
  unmapped: z.array(Unmapped).optional(),
  /** What a person should know about its specification. Its successor was submitted anyway. */
  warnings: z.array(Unmapped).optional(),
  /** Fields that the standby stored differently from what was sent. */
  differences: z.array(z.object({ place: z.string(), sent: OneLine, held: OneLine })).optional(),
});
export type JobEvidence = z.infer<typeof JobEvidence>;

/** One config file: an item of evidence of kind `configs`. */
export const ConfigEvidence = z.object({
  host: z.string(),
  file: z.string(),
  /** `changed`, `unchanged`, `restored`, … */
  status: z.string(),
  /** Why it does not have the content again that it had before the move away. */
  reason: z.string().optional(),
  /** A unified diff. The step that made it has masked the secrets in it. */
  diff: z.string().default(''),
  changes: z.array(Change).default([]),
  /** Places that were left unchanged, which a person has to check. */
  warnings: z.array(z.object({ place: z.string(), text: z.string() })).default([]),
  commit: z.string().optional(),
});
export type ConfigEvidence = z.infer<typeof ConfigEvidence>;

/** An item that a step skipped, failed or found different: evidence of kinds `list` and `reconciliation`. */
export const Finding = z.object({
  what: z.string(),
  state: z.enum(['skipped', 'failed']),
  reason: z.string(),
});
const Findings = z.object({
  findings: z.array(Finding),
  /** Where the other items of a long list are. They are not read for a report. */
  parts: z.array(z.object({ digest: z.string(), count: z.int().nonnegative() })).default([]),
});
/** How many items of a list a report has. The rest are counted. */
const mostFindings = 500;

/** Evidence with its content. */
export interface EvidenceDocument extends Evidence {
  step: string;
  /** Absent if it could not be read, or is not what the step wrote. `problem` then says so. */
  content?: unknown;
  problem?: string;
}

/**
 * Reads the evidence that the report shows. For probes only the references are used. A missing or altered document
 * becomes a `problem`.
 * Errors: AzureUnavailable if the control store cannot be read.
 */
export async function loadEvidence(store: ControlStore, records: StepRecord[]): Promise<EvidenceDocument[]> {
  const documents: EvidenceDocument[] = [];
  for (const record of records) {
    for (const evidence of record.evidence ?? []) {
      const content = evidence.kind === 'probes' ? {} : readDocument(evidence, await store.readText(evidence.blob));
      documents.push({ ...evidence, step: record.step, ...content });
    }
  }
  return documents;
}

function readDocument(evidence: Evidence, text: string | undefined): { content?: unknown; problem?: string } {
  const where = `evidence "${evidence.blob}"`;
  if (text === undefined) return { problem: `${where} is not in the control store` };
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return { problem: `${where} is not JSON: ${messageOf(error)}` };
  }
  // The digest is of the text as written, or of its canonical form if `seal` wrote it.
  const digests = [sha256(text), sha256(canonical(content))];
  if (!digests.includes(evidence.digest)) {
    return { problem: `${where} was altered: expected digest ${evidence.digest}, got ${digests[0]}` };
  }
  return { content };
}

/** Returns the items of all evidence of one kind, and the problems with the rest. */
export function itemsOf<T>(
  documents: EvidenceDocument[],
  kind: Evidence['kind'],
  item: z.ZodType<T>,
): { items: T[]; problems: string[] } {
  const items: T[] = [];
  const problems: string[] = [];
  for (const document of documents) {
    if (document.kind !== kind) continue;
    if (document.problem !== undefined) {
      problems.push(document.problem);
      continue;
    }
    const list = z.array(item).safeParse(document.content);
    if (list.success) {
      items.push(...list.data);
      continue;
    }
    const issue = list.error.issues[0];
    problems.push(
      `evidence "${document.blob}" is not a list of ${kind}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`,
    );
  }
  return { items, problems };
}

type FoundItem = z.infer<typeof Finding> & { step: string };

/**
 * Returns what steps found item by item: the first items of each list, and how many more it has. A document of another
 * form is only referenced.
 */
export function findingsOf(documents: EvidenceDocument[]): {
  items: FoundItem[];
  more: { step: string; count: number; blob: string }[];
  problems: string[];
} {
  const lists = documents.filter(({ kind }) => kind === 'list' || kind === 'reconciliation');
  const read = lists.flatMap(({ step, blob, content }) => {
    const list = Findings.safeParse(content).data;
    if (!list) return [];
    const total = list.findings.length + list.parts.reduce((sum, { count }) => sum + count, 0);
    const items = list.findings.slice(0, mostFindings).map((finding): FoundItem => ({ step, ...finding }));
    return [{ items, more: { step, count: total - items.length, blob } }];
  });
  return {
    items: read.flatMap(({ items }) => items),
    more: read.flatMap(({ more }) => (more.count > 0 ? [more] : [])),
    problems: lists.flatMap(({ problem }) => problem ?? []),
  };
}

function asLine(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : canonical(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
