/**
 * Loads the Azure ML CLI v2 YAML of a folder into a workspace: `node examples/load.ts --help`. It is an example of a
 * client: it reaches Azure by Azure's protocols only, and knows nothing of what else is in this project.
 */
import { loadFolder } from './loader/load.ts';
import { AzureFailure, LoadError } from './loader/load-error.ts';
import { readSettings, USAGE } from './loader/settings.ts';

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const summary = await loadFolder(settings, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof LoadError || error instanceof AzureFailure ? error.exitCode : 1;
});
