/**
 * `npm test`: makes sure that there is a Temporal server, runs vitest with the arguments given, and ends with one line,
 * `N passed, N failed`, counted from vitest's own results. Exit code 0 only if tests ran and none failed.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { messageOf } from '../src/errors/error.ts';
import { findTemporal } from '../src/stack/temporal-server.ts';

/** What is read of vitest's JSON report. */
interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[]; message?: string }[];
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function main(): Promise<number> {
  const temporal = await findTemporal((line) => console.log(line));
  console.log(`Temporal server: ${temporal}`);
  const folder = await mkdtemp(join(tmpdir(), 'understudy-tests-'));
  try {
    const file = join(folder, 'results.json');
    const code = await vitest(dirname(temporal), file);
    const counts = await count(file, code);
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
    return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function vitest(temporalFolder: string, results: string): Promise<number> {
  const program = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const child = spawn(process.execPath, [program, 'run', ...reporters, ...process.argv.slice(2)], {
    cwd: dirname(import.meta.dirname),
    stdio: 'inherit',
    env: {
      // As the command's launcher does: what Node makes of the packages is kept for the next file.
      NODE_COMPILE_CACHE: join(homedir(), '.cache', 'understudy', 'compiled'),
      ...process.env,
      PATH: [temporalFolder, process.env.PATH ?? ''].join(delimiter),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** A file that could not be loaded, and an error outside any test, are failures too. */
async function count(file: string, code: number): Promise<Counts> {
  let results: Results;
  try {
    results = JSON.parse(await readFile(file, 'utf8')) as Results;
  } catch (error) {
    console.log(`vitest ended with ${code} and left no results: ${messageOf(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const broken = results.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  for (const { name, message } of broken) console.log(`could not be run: ${name}: ${message ?? 'no reason'}`);
  let failed = results.numFailedTests + broken.length;
  if (failed === 0 && code !== 0 && results.testResults.length > 0) {
    console.log(`vitest ended with ${code} although no test failed: see the errors above`);
    failed = 1;
  }
  return { passed: results.numPassedTests, failed, skipped: results.numPendingTests + results.numTodoTests };
}

process.exitCode = await main();
