/**
 * The launcher (bin/understudy.mjs) may run the program as a child, and may be killed without a chance to say
 * so.
 */

const variable = 'UNDERSTUDY_LAUNCHER';

/**
 * Ends with the launcher: when it is gone, the program is asked to end as by SIGTERM, so that a worker hands
 * back its work and a watching command leaves. Does nothing where no launcher started us.
 */
export function endWithLauncher(): void {
  const launched = process.env[variable] !== undefined;
  // What we start ourselves has no launcher.
  delete process.env[variable];
  if (!launched) return;
  const end = () => process.kill(process.pid, 'SIGTERM');
  if (!process.connected) end();
  process.on('disconnect', end);
  // It must not keep us here when all is done.
  process.channel?.unref();
}
