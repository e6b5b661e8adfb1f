/** What a folder of benchmarks exports as `benchmark`. */
export interface Benchmark {
  /** One line: what is measured, and against what. */
  summary: string;
  /** By name; each takes a value. */
  options: Record<string, { default: string; help: string }>;
  run(values: Record<string, string>): Promise<void>;
}
