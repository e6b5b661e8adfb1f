/** Reports progress in long work on jobs, and checks that the lease is still valid: at most once a second. */
const beatMs = 1000;

/** After the first failure it fails every time: each of the parallel jobs must notice that the lease is lost. */
export function everySecond(beat: () => Promise<void>): () => Promise<void> {
  let last = performance.now();
  let failure: { error: unknown } | undefined;
  return async () => {
    if (failure) throw failure.error;
    if (performance.now() - last < beatMs) return;
    last = performance.now();
    try {
      await beat();
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
}
