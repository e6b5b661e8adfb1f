/**
 * `--output json`: one document on standard output and nothing else, as its schema says, whether the command
 * fails or not.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import picocolors from 'picocolors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MadePlan } from '../../src/operations/plans/planning.ts';
import { showPlan } from '../../src/cli/commands/plan.ts';
import { compileFailover } from '../../src/plan/compile.ts';
import { buildReport } from '../../src/report/report.ts';
import { compileInput, recoveryPoint } from '../plan/inputs.ts';
import { exampleInput } from '../report/example-run.ts';
import { minimal } from '../topology/minimal.ts';
import { expectDocument } from './output-documents.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'understudy.mjs');
const patient = 120_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-json-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function understudy(...args: string[]): Promise<{ code: number | null; document: unknown; err: string }> {
  const child = spawn(process.execPath, [program, ...args, '--output', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, document: JSON.parse(out), err };
}

describe('a command that fails', () => {
  it.each([
    ['an option that there is not', ['plan', '--force'], "unknown option '--force'", 'See --help.'],
    ['no topology', ['status'], 'cannot load topology "understudy.yaml": it does not exist', '--topology'],
  ])(
    'by %s prints why, what to do and its exit code',
    async (_what, args, message, next) => {
      const { code, document } = await understudy(...args);
      expect(code).toBe(2);
      expectDocument('error', document);
      expect(document).toMatchObject({
        error: {
          message: expect.stringContaining(message) as string,
          next: expect.stringContaining(next) as string,
          exitCode: 2,
        },
      });
    },
    patient,
  );
});

describe('a command that does what it was asked to', () => {
  it(
    'prints its document',
    async () => {
      const written = await understudy('init');
      expect(written).toMatchObject({ code: 0, document: { file: 'understudy.yaml' }, err: '' });
      expectDocument('init', written.document);
      await writeFile(join(folder, 'understudy.yaml'), minimal);
      const valid = await understudy('validate');
      expectDocument('validate', valid.document);
      expect(valid.document).toMatchObject({ topology: 'fraud-ml', counts: { templates: 0, probes: 0 } });
      const scenarios = await understudy('chaos', 'list');
      expectDocument('chaos list', scenarios.document);
      expect(scenarios.document).not.toEqual([]);
    },
    patient,
  );
});

describe('the document', () => {
  const plan = compileFailover({ ...compileInput(), recoveryPoint: recoveryPoint(), acceptedLosses: [] });
  const found = { problems: ['quota'], warnings: [], sharing: [], findings: [], losses: ['2 file shares'] };
  const error = { code: 'PreconditionError', message: 'm', next: 'n', retryable: false, exitCode: 1 };

  it('of a plan has the plan, and next to it what would make it fail', () => {
    const finding = { severity: 'fails', file: 'a.json', line: 1, found: 'f', expected: 'e', next: 'n' };
    const look = { host: 'train-01', target: 'a.json', state: 'fails', files: 0, changes: 0 };
    expectDocument('plan', { ...plan, ...found, configs: [{ ...look, findings: [finding] }], error });
  });

  it('of a run has its report, and the error next to it', () => {
    const report = buildReport(exampleInput());
    const outcome = { runId: 'r', started: true, state: 'failed', reason: 'why', report, reportFolder: 'f' };
    for (const name of ['failover', 'replicate', 'retry', 'cancel']) expectDocument(name, { ...outcome, error });
    expectDocument('report', report);
    expectDocument('failover', { state: 'nothing to move', region: 'westus3', epoch: 2 });
    expectDocument('cancel', { runId: 'r', state: 'already cancelled', endedAt: 't' });
    expect(() => expectDocument('failover', { ...outcome, state: 'pending' })).toThrow();
  });

  it('and text count alike: one is singular', () => {
    const summary = recoveryPoint({ counts: { models: 1, data: 1, codes: 4, schedules: 0 }, blobs: 1 });
    const made: MadePlan = { plan, ...found, recoveryPoint: summary };
    const text = showPlan(made, picocolors.createColors(false));
    expect(text).toContain(`${summary.ref.id}: 1 model, 1 data, 4 codes; 1 blob, 24.0 MB`);
  });
});
