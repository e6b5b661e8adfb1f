/**
 * Events in Temporal's history of a whole replicate and a whole failover, run by the commands that a user types on the
 * embedded stack; against the same with a tenth of the blobs and jobs: it must not grow with them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countOf, machine, print, type Figure } from '../figures.ts';
import type { Benchmark } from '../benchmark.ts';
import { moveWorkspace, type Moved } from './failover.ts';

export const benchmark: Benchmark = {
  summary: 'events in Temporal’s history of a whole failover, against one with a tenth of the blobs and jobs',
  options: {
    blobs: { default: '1000', help: 'blobs beside those of the example; a tenth of them in the first run' },
    jobs: {
      default: '200',
      help: 'unfinished jobs beside those of the example; a tenth of them in the first run',
    },
  },
  async run(values) {
    const blobs = countOf('blobs', values.blobs);
    const jobs = countOf('jobs', values.jobs);
    console.log(machine());
    const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-history-'));
    try {
      const small = await moveWorkspace(join(folder, 'small'), {
        blobs: Math.ceil(blobs / 10),
        jobs: Math.ceil(jobs / 10),
      });
      const large = await moveWorkspace(join(folder, 'large'), { blobs, jobs });
      const name = 'a tenth';
      const figure = (what: string, unit: string, value: (moved: Moved) => number): Figure => ({
        what,
        value: value(large),
        unit,
        peer: { name, value: value(small) },
      });
      print(`history: the example with ${blobs} more blobs and ${jobs} more jobs`, [
        figure('blobs in the failover', 'blobs', ({ counts }) => counts.blobs ?? 0),
        figure('jobs in the failover', 'jobs', ({ counts }) => counts.jobs ?? 0),
        figure('replicate', 'events', ({ replicate }) => replicate.events),
        figure('replicate', 'KiB', ({ replicate }) => replicate.bytes / 1024),
        figure('failover', 'events', ({ failover }) => failover.events),
        figure('failover', 'KiB', ({ failover }) => failover.bytes / 1024),
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
