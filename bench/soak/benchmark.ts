/**
 * Many recovery points, one after the other, and moves there and back, by the commands that a user types: how the time
 * of each command and the worker's memory go as the history grows. Against the same at the beginning, and a bare
 * listing of the same blobs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark } from '../benchmark.ts';
import { onExampleStack } from '../example-stack.ts';
import { machine, median, print, wholeOf, type Figure } from '../figures.ts';
import { mebi } from '../rss.ts';
import { soak, type Sample } from './soak.ts';

export const benchmark: Benchmark = {
  summary: 'the time of each command and the worker’s memory over many recovery points, and moves there and back',
  options: {
    unchanged: { default: '100', help: 'recovery points with nothing changed in between' },
    changed: { default: '20', help: 'then so many with a few blobs changed before each' },
    moves: { default: '2', help: 'then so many moves, each with a recovery point after it' },
    every: { default: '10', help: 'recovery points between two samples' },
    blobs: { default: '50', help: 'blobs next to those of the example' },
    lines: {
      default: '',
      help: 'a file to write the samples to, as tab-separated lines that can be plotted',
    },
    snapshots: {
      default: '',
      help: 'a folder to write a heap snapshot of the worker to, after the first and last sample',
    },
  },
  async run(values) {
    const [unchanged, changed, moves] = ['unchanged', 'changed', 'moves'].map((name) =>
      wholeOf(name, values[name]),
    ) as [number, number, number];
    const every = Math.max(1, wholeOf('every', values.every));
    const further = { blobs: wholeOf('blobs', values.blobs), jobs: 5 };
    console.log(machine());
    console.log(heading);
    const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-soak-'));
    try {
      const nodeArguments = ['--inspect=127.0.0.1:0'];
      const samples = await onExampleStack(join(folder, 'stack'), { further, nodeArguments }, (on) =>
        soak(on, { unchanged, changed, moves, every, snapshots: values.snapshots ?? '' }, (sample) =>
          console.log(lineOf(sample)),
        ),
      );
      if (values.lines) writeFileSync(values.lines, [heading, ...samples.map(lineOf), ''].join('\n'));
      print(`soak: ${unchanged} recovery points with nothing changed, ${changed} with little, ${moves} moves`, [
        ...timesOf(samples),
        ...memoryOf(samples),
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const columns: [name: string, value: (sample: Sample) => string][] = [
  ['phase', ({ phase }) => phase],
  ['points', ({ points }) => String(points)],
  ['blobs', ({ blobs }) => String(blobs)],
  ['list_s', ({ listSeconds }) => listSeconds.toFixed(3)],
  ...(['validate', 'replicate', 'status', 'plan', 'runs'] as const).map(
    (name): [string, (sample: Sample) => string] => [`${name}_s`, ({ seconds }) => seconds[name].toFixed(2)],
  ),
  ...(['status', 'plan', 'runs'] as const).map((name): [string, (sample: Sample) => string] => [
    `${name}_requests`,
    ({ requests }) => String(requests[name]),
  ]),
  ['rss_mib', ({ worker }) => mib(worker.resident)],
  ['peak_mib', ({ worker }) => mib(worker.peak)],
  ['heap_mib', ({ worker }) => mib(worker.heap)],
  ['workflows_mib', ({ worker }) => mib(worker.workflowHeap)],
  ['external_mib', ({ worker }) => mib(worker.external)],
  ['azure_rss_mib', ({ azureResident }) => mib(azureResident)],
];
const mib = (bytes: number) => (bytes / mebi).toFixed(0);
const heading = columns.map(([name]) => name).join('\t');
const lineOf = (sample: Sample) => columns.map(([, value]) => value(sample)).join('\t');

/** The first samples find the programs cold. */
function ends(samples: readonly Sample[], value: (sample: Sample) => number): { first: number; last: number } {
  const few = Math.max(1, Math.min(3, Math.floor(samples.length / 2)));
  return {
    first: median(samples.slice(0, few).map(value)),
    last: median(samples.slice(-few).map(value)),
  };
}

function timesOf(samples: readonly Sample[]): Figure[] {
  const names = ['replicate', 'status', 'plan', 'runs', 'validate'] as const;
  const figures = names.map((name): Figure => {
    const { first, last } = ends(samples, ({ seconds }) => seconds[name]);
    return {
      what: `${name}, at the end`,
      value: last,
      unit: 's',
      peer: { name: 'at the beginning', value: first },
    };
  });
  for (const name of ['status', 'plan', 'runs'] as const) {
    const { first, last } = ends(samples, ({ requests }) => requests[name]);
    figures.push({
      what: `${name}, at the end`,
      value: last,
      unit: 'requests',
      peer: { name: 'at the beginning', value: first },
    });
  }
  const { first, last } = ends(samples, ({ listSeconds }) => listSeconds);
  return [
    ...figures,
    {
      what: 'a bare listing, at the end',
      value: last,
      unit: 's',
      peer: { name: 'at the beginning', value: first },
    },
  ];
}

function memoryOf(samples: readonly Sample[]): Figure[] {
  const figure = (what: string, value: (sample: Sample) => number): Figure => {
    const { first, last } = ends(samples, value);
    return {
      what: `worker, ${what}, at the end`,
      value: last / mebi,
      unit: 'MiB',
      peer: { name: 'at the beginning', value: first / mebi },
    };
  };
  return [
    figure('resident', ({ worker }) => worker.resident),
    figure('most resident in between', ({ worker }) => worker.peak),
    figure('heap after collection', ({ worker }) => worker.heap),
    figure('workflows’ heap', ({ worker }) => worker.workflowHeap),
    figure('external', ({ worker }) => worker.external),
  ];
}
