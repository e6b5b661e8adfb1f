/** Ctrl-C, a terminal that is closed, a supervisor that ends us: what was begun hears of it, and ends itself. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does `work`, which is told when somebody wants it to end. A second signal is no other than the first: the terminal sends
 * one to every process of ours, and the launcher passes its own on.
 */
export async function interruptible<T>(work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
