/** How much memory a process holds over time: from the process itself, or of another one by its pid (Linux). */
import { readFileSync, writeFileSync } from 'node:fs';

/** Resident bytes of a process. Throws if there is none of that id, or no /proc. */
export function residentBytes(pid: number): number {
  return statusOf(pid, 'VmRSS');
}

/** The most that was resident since `forgetPeak`, or since the process began. */
export function peakBytes(pid: number): number {
  return statusOf(pid, 'VmHWM');
}

/** Linux: https://docs.kernel.org/filesystems/proc.html, `clear_refs`. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusOf(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!line) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(line[1]) * 1024;
}

export interface Sampler {
  /** Of this process, in order. */
  samples: number[];
  /** Ends it; answers all samples. */
  stop(): number[];
}

/** Samples this process. The timer does not keep it alive. */
export function sampleMemory(everyMs = 100): Sampler {
  const samples = [process.memoryUsage.rss()];
  const timer = setInterval(() => samples.push(process.memoryUsage.rss()), everyMs).unref();
  return {
    samples,
    stop() {
      clearInterval(timer);
      samples.push(process.memoryUsage.rss());
      return samples;
    },
  };
}

export const mebi = 1024 * 1024;
