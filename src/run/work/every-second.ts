/** A sign of life in long work on jobs, and the question whether the lease still holds: once a second at most. */
const beatMs = 1000;

/** Once it has failed it fails at once: of jobs side by side, each must learn that the lease is lost. */
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
