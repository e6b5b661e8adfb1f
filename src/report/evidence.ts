/**
 * Evidence that steps leave in the control store, and what the report shows of it. Each document is read once, held
 * against the digest in its step's record, and parsed; what does not match is named and not shown.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonical, type ControlStore } from '../control-store/store.ts';
import { messageOf } from '../errors/error.ts';
import type { Evidence, StepRecord } from '../run/work/outcome.ts';

/** One value that was changed; empty: there was, or is, none. */
const Change = z
  .object({ place: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })
  .transform(({ place, from, to }) => ({ place, from: asLine(from), to: asLine(to) }))
  .pipe(z.strictObject({ place: z.string(), from: z.string(), to: z.string() }));
/** Something that has no counterpart on the other side. */
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
  /** The name that its owner knows, where the old job is a successor itself. */
  submittedAs: z.string().optional(),
  /** `resubmit`, `restart`, `manual`, `skip`, …: how it was classified. */
  class: z.string(),
  reason: z.string(),
  /** `submitted`, `skipped`, `failed`. */
  outcome: z.string().optional(),
  /** As last seen in the old workspace. */
  status: z.string().optional(),
  owner: z.string().optional(),
  priority: OneLine.optional(),
  checkpoint: OneLine.optional(),
  /** A checkpoint newer than the one it goes on from, which was not whole. */
  passedOver: z.object({ name: z.string(), why: z.string() }).optional(),
  /** What it loses; absent: it was not interrupted, or a person worked in it. */
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
  /** What the standby holds otherwise than it was sent. */
  differences: z.array(z.object({ place: z.string(), sent: OneLine, held: OneLine })).optional(),
});
export type JobEvidence = z.infer<typeof JobEvidence>;

/** One config file: an item of evidence of kind `configs`. */
export const ConfigEvidence = z.object({
  host: z.string(),
  file: z.string(),
  /** `rewritten`, `unchanged`, `restored`, `failed`, … */
  status: z.string(),
  /** Unified; secrets in it were masked by the step that made it. */
  diff: z.string().default(''),
  changes: z.array(Change).default([]),
  /** Places left as they are, which a person has to look at. */
  warnings: z.array(z.object({ place: z.string(), text: z.string() })).default([]),
  commit: z.string().optional(),
});
export type ConfigEvidence = z.infer<typeof ConfigEvidence>;

/** One thing that a step skipped, failed or found different: evidence of kinds `list` and `reconciliation`. */
export const Finding = z.object({
  what: z.string(),
  state: z.enum(['skipped', 'failed']),
  reason: z.string(),
});
const Findings = z.object({
  findings: z.array(Finding),
  /** Of a long list: where the others are. They are not read for a report. */
  parts: z.array(z.object({ digest: z.string(), count: z.int().nonnegative() })).default([]),
});
/** So many of one list are in a report; the rest is counted. */
const mostFindings = 500;

export interface EvidenceDocument extends Evidence {
  step: string;
  /** Absent when it could not be read, or is not what the step wrote; `problem` says so. */
  content?: unknown;
  problem?: string;
}

/**
 * Reads the evidence the report shows; of probes the references are enough.
 * AzureUnavailable if the control store cannot be read; a document that is missing or altered is a `problem` of its own.
 */
export async function loadEvidence(store: ControlStore, records: StepRecord[]): Promise<EvidenceDocument[]> {
  const documents: EvidenceDocument[] = [];
  for (const record of records) {
    for (const evidence of record.evidence ?? []) {
      const content =
        evidence.kind === 'probes' ? {} : readDocument(evidence, await store.readText(evidence.blob));
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
  // The digest is of the text as written, or (for what `seal` wrote) of its canonical form.
  const digests = [sha256(text), sha256(canonical(content))];
  if (!digests.includes(evidence.digest)) {
    return { problem: `${where} was altered: expected digest ${evidence.digest}, got ${digests[0]}` };
  }
  return { content };
}

/** The items of all evidence of one kind, and what is wrong with the rest. */
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

/** What steps found item by item: the first of each list, and how many more it has. A document of another form is only referred to. */
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
