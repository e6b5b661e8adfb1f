/**
 * Ctrl-C, a terminal that is closed, a supervisor that ends us: what was begun hears of it, and ends itself.
 */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Milliseconds within which a second signal is the same as the first: the terminal sends one, and the
 * launcher passes its own on.
 */
const sameMs = 2000;

/**
 * Does `work`, which is told when somebody wants it to end. Asked again later, the process ends, whatever it
 * is doing.
 */
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
