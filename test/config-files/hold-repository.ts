/** Holds a repository until it is killed: a program, since a lock must end with its process. */
import { GitWorkingCopy } from '../../src/config-files/git/git.ts';
import { holdRepository } from '../../src/config-files/git/git-lock.ts';

await holdRepository(new GitWorkingCopy(process.argv[2] ?? ''), async () => {
  process.stdout.write('held\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
