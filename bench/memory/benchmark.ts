/**
 * A recovery point of a million blobs and ten thousand jobs: listed, copied, sealed, taken again, opened, restored and
 * reconciled, with a cloud in memory and the control store on disk. How memory goes, against a tenth of the blobs; and
 * seconds, against what writing and reading the lines alone costs.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { countOf, machine, print, type Figure } from '../figures.ts';
import type { Benchmark } from '../benchmark.ts';

export interface Settings {
  blobs: number;
  folders: number;
  jobs: number;
  /** Measure the peer instead. */
  peer: boolean;
}

export interface PhaseOutcome {
  phase: string;
  /** Of a processor. */
  seconds: number;
  /** Resident memory over time. */
  samplesMiB: number[];
}

export interface Outcome {
  phases: PhaseOutcome[];
  peer: { seconds: number; heldMiB: number };
}

export const benchmark: Benchmark = {
  summary: 'memory and time of a recovery point of a million blobs, against a tenth of them and against its bare lines',
  options: {
    blobs: { default: '1000000', help: 'blobs' },
    folders: {
      default: '1000',
      help: 'folders that the blobs are spread over; 1 puts them all into one asset',
    },
    jobs: { default: '10000', help: 'unfinished jobs' },
  },
  async run(values) {
    const blobs = countOf('blobs', values.blobs);
    const folders = countOf('folders', values.folders);
    const jobs = countOf('jobs', values.jobs);
    console.log(machine());
    const tenth = { blobs: Math.ceil(blobs / 10), folders: Math.max(1, Math.round(folders / 10)) };
    const small = await run({ ...tenth, jobs, peer: false });
    const { peer } = await run({ blobs, folders, jobs, peer: true });
    const whole = await run({ blobs, folders, jobs, peer: false });
    const title = `memory: ${blobs.toLocaleString('en')} blobs in ${folders.toLocaleString('en')} folders, ${jobs.toLocaleString('en')} jobs`;
    print(title, [...memoryOf(whole, small, peer), ...timesOf(whole, peer, blobs)]);
  },
};

function memoryOf({ phases }: Outcome, small: Outcome, { heldMiB }: Outcome['peer']): Figure[] {
  const peak = (of: Outcome, phase: string) =>
    Math.max(...(of.phases.find((each) => each.phase === phase)?.samplesMiB ?? [0]));
  const all = phases.flatMap(({ samplesMiB }) => samplesMiB);
  // The first tenth is the warm-up: code that is compiled, a heap that finds its size.
  const warm = all.slice(Math.ceil(all.length / 10));
  const most = Math.max(...all);
  const smallMost = Math.max(...small.phases.flatMap(({ samplesMiB }) => samplesMiB));
  return [
    {
      what: 'memory, peak',
      value: most,
      unit: 'MiB',
      peer: { name: 'a tenth of the blobs', value: smallMost },
    },
    {
      what: 'memory, peak',
      value: most,
      unit: 'MiB',
      peer: { name: 'its lines in an array', value: heldMiB },
    },
    {
      what: 'memory, most after warm-up',
      value: Math.max(...warm),
      unit: 'MiB',
      peer: { name: 'least after warm-up', value: Math.min(...warm) },
    },
    ...phases.map(({ phase, samplesMiB }) => ({
      what: `memory, ${phase}`,
      value: Math.max(...samplesMiB),
      unit: 'MiB',
      peer: { name: 'a tenth of the blobs', value: peak(small, phase) },
    })),
  ];
}

function timesOf({ phases }: Outcome, peer: Outcome['peer'], blobs: number): Figure[] {
  const perMillion = (seconds: number) => (seconds * 1_000_000) / blobs;
  const name = 'lines written and read';
  const figure = (what: string, seconds: number): Figure => ({
    what,
    value: perMillion(seconds),
    unit: 'CPU s a million',
    peer: { name, value: perMillion(peer.seconds) },
  });
  return [
    ...phases.map(({ phase, seconds }) => figure(`time, ${phase}`, seconds)),
    figure(
      'time, all',
      phases.reduce((sum, { seconds }) => sum + seconds, 0),
    ),
  ];
}

function run(settings: Settings): Promise<Outcome> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'worker.ts'), JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output) as Outcome);
      else
        reject(
          new Error(`${settings.blobs} blobs in ${settings.folders} folders: the process ended with ${code ?? signal}`),
        );
    });
  });
}
