/** Ctrl-C, a closed terminal, or a supervisor's signal: work that was begun is told, and ends itself. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Milliseconds within which a second signal counts as the first: the terminal sends one, and the launcher forwards its
 * own.
 */
const sameMs = 2000;

/** Does `work`, which is told about the first signal. At a later signal the process ends, whatever it is doing. */
export async function interruptible<T>(work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const interrupt = (signal: NodeJS.Signals) => {
    firstAt ??= Date.now();
    controller.abort();
    if (Date.now() - firstAt <= sameMs) return;
    process.off(signal, interrupt);
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
