import type { Benchmark } from '../run.ts';
export const benchmark: Benchmark = { summary: '', options: {}, run: async () => undefined };
