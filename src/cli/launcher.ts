/** The launcher (bin/understudy.mjs) may run the program as a child, and may be killed without notice. */

const variable = 'UNDERSTUDY_LAUNCHER';

/**
 * Ends with the launcher: when it is gone, the program is asked to end as by SIGTERM, so that a worker returns its work
 * and a watching command leaves. Does nothing if no launcher started this process.
 */
export function endWithLauncher(): void {
  const launched = process.env[variable] !== undefined;
  // Processes that this one starts have no launcher.
  delete process.env[variable];
  if (!launched) return;
  const end = () => process.kill(process.pid, 'SIGTERM');
  if (!process.connected) end();
  process.on('disconnect', end);
  // Must not keep the process alive when all is done.
  process.channel?.unref();
}
