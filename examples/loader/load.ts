/** Loads a folder into a workspace. Everything is read and checked first; then it is written, once, in order of need. */
import { basename, extname } from 'node:path';
import { createHash } from 'node:crypto';
import { ClientSecretCredential } from '@azure/identity';
import { Arm } from './arm.ts';
import { AzureFailure, LoadError } from './load-error.ts';
import { localPaths } from './local-path.ts';
import { type Settings } from './settings.ts';
import { readSimulation, refuseUnknownJobs, type Simulation } from './simulation.ts';
import { describe, type Entry, type Progress, type Summary } from './summary.ts';
import { WorkspaceReferences } from './workspace-references.ts';
import { openWorkspace } from './workspace.ts';
import { readWorkspaceFiles, type Parsed, type WorkspaceFiles } from './workspace-files.ts';
import * as write from './write.ts';

export async function loadFolder(settings: Settings, progress: Progress): Promise<Summary> {
  const localPath = localPaths(settings.folder, settings.dataFolder);
  const files = await readWorkspaceFiles(settings.folder, settings.skip, settings.environment, localPath);
  const simulation = await simulationOf(settings, files);

  const { azure, scope } = settings;
  const credential = new ClientSecretCredential(azure.tenantId, azure.clientId, azure.clientSecret, {
    authorityHost: azure.authorityHost,
    // A cloud of its own knows only itself: there is no public instance to ask about its authority.
    disableInstanceDiscovery: azure.authorityHost !== 'https://login.microsoftonline.com',
  });
  const arm = new Arm({ endpoint: azure.armEndpoint, scope: azure.scope, credential });
  const workspace = await openWorkspace(arm, scope, credential);
  progress(`workspace ${scope.workspace} in ${workspace.location}`);

  const summary: Summary = {
    workspace: scope.workspace,
    entries: [],
    uploads: { files: 0, sizeBytes: 0, transferredBytes: 0 },
  };
  const record = (entry: Entry) => {
    if (summary.entries.some(({ id }) => id === entry.id)) return;
    summary.entries.push(entry);
    progress(describe(entry));
  };
  const references = new WorkspaceReferences({
    arm,
    workspace,
    folder: settings.folder,
    localPath,
    record,
    uploaded: ({ path, files: count, sizeBytes, transferred }) => {
      summary.uploads.files += count;
      summary.uploads.sizeBytes += sizeBytes;
      summary.uploads.transferredBytes += transferred ? sizeBytes : 0;
      progress(
        `${transferred ? 'uploaded ' : 'unchanged'} ${basename(path)}: ${count} files, ${sizeBytes} bytes`,
      );
    },
  });
  await writeAll({ arm, workspace, references, credential, record, localPath }, files, simulation);
  return summary;
}

async function simulationOf(settings: Settings, files: WorkspaceFiles): Promise<Simulation> {
  if (settings.simulationFile === undefined) return {};
  const simulation = await readSimulation(settings.simulationFile, settings.folder);
  refuseUnknownJobs(
    simulation,
    files.jobs.flatMap(({ content }) => content.content.name ?? []),
  );
  return simulation;
}

/** In order of need: a job names assets and computes, a schedule is a job, a deployment serves a model. */
async function writeAll(
  context: write.Context,
  files: WorkspaceFiles,
  simulation: Simulation,
): Promise<void> {
  await each(files.datastores, (parsed) => write.datastore(context, parsed));
  await each(files.connections, (parsed) => write.connection(context, parsed));
  await each(files.computes, (parsed) => write.compute(context, parsed));
  await each(files.environments, (parsed) => write.environment(context, parsed));
  await each(files.data, (parsed) => write.data(context, parsed));
  await each(files.models, (parsed) => write.model(context, parsed));
  await each(files.components, (parsed) => write.component(context, parsed));
  await each(files.jobs, (parsed) => write.job(context, parsed, nameOf(parsed), simulation));
  await each(files.schedules, (parsed) => write.schedule(context, parsed));
  await each(files.endpoints, (parsed) => write.endpoint(context, parsed));
  await each(files.deployments, (parsed) => write.deployment(context, parsed));
  await each(files.endpoints, (parsed) => write.traffic(context, parsed));
}

/** A job without a name gets one of its file and its content, so that a rerun finds it again. */
function nameOf({ document, content }: WorkspaceFiles['jobs'][number]): string {
  if (content.content.name !== undefined) return content.content.name;
  const hash = createHash('sha256').update(JSON.stringify(document.content)).digest('hex').slice(0, 8);
  return `${basename(document.path, extname(document.path))}-${hash}`;
}

/** One after the other; what goes wrong names the file. */
async function each<Content>(
  all: Parsed<Content>[],
  act: (parsed: Parsed<Content>) => Promise<void>,
): Promise<void> {
  for (const parsed of all) {
    try {
      await act(parsed);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const Failure = error instanceof LoadError ? LoadError : AzureFailure;
      throw new Failure(`${parsed.document.shownPath}: ${message}`, { cause: error });
    }
  }
}
