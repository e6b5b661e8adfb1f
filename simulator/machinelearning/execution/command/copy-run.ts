/**
 * A command job that only copies an input into an output. That needs no process, and nothing of this machine: it is
 * carried out wherever the job runs, so that what a job reads and writes can be seen where none is executed.
 */

import type { Cloud, JsonObject, Stored } from '../../../contract/index.ts';
import { objectOf, textOf } from '../../bodies/fields.ts';
import { below, copyBelow } from '../data/blob-files.ts';
import { endOf } from './command-run.ts';
import { assetKindOf, locateData, locateOutput, requireOutputs } from '../data/job-data.ts';
import { RunFailure, type Ending, type Run, type RunEnd } from '../data/run-failure.ts';

const COMMAND = /^cp\s+(["']?)\$\{\{\s*inputs\.(\w+)\s*\}\}\1\s+(["']?)\$\{\{\s*outputs\.(\w+)\s*\}\}\/([\w.-]+)\3$/;

interface Copy {
  input: JsonObject;
  output: string;
  name: string;
}

/** What the job copies; undefined: it does something else, or says itself how it lives. */
export function copyOf(properties: JsonObject): Copy | undefined {
  const { jobType, command, inputs, outputs, properties: said } = properties;
  const [, , from = '', , output = '', name = ''] = COMMAND.exec((textOf(command) ?? '').trim()) ?? [];
  const input = objectOf(objectOf(inputs)[from]);
  const isLived = Object.keys(objectOf(said)).some((key) => key.startsWith('simulator.'));
  if (jobType !== 'Command' || isLived || input.jobInputType !== 'uri_file') return undefined;
  return output in objectOf(outputs) ? { input, output, name } : undefined;
}

export class CopyRun implements Run {
  private readonly cloud: Cloud;
  private readonly job: Stored;
  private readonly copy: Copy;
  private ending: Ending | undefined;

  constructor(cloud: Cloud, job: Stored, copy: Copy) {
    this.cloud = cloud;
    this.job = job;
    this.copy = copy;
  }

  end(how: Ending): void {
    this.ending ??= how;
  }

  async run(): Promise<RunEnd> {
    const { cloud, job, copy } = this;
    requireOutputs(cloud, job);
    const uri = textOf(copy.input.uri) ?? '';
    const from = locateData(cloud, job, uri, assetKindOf(copy.input));
    const to = locateOutput(cloud, job, copy.output);
    if (!to)
      throw new RunFailure('UserError', `The output '${copy.output}' names no datastore of blobs of the workspace.`);
    const copied = await copyBelow(cloud.blobs, from, below(to, copy.name));
    if (copied === 0) throw new RunFailure('UserError', `There is no file at '${uri}'.`);
    return this.ending === undefined ? { outcome: 'Completed' } : endOf(this.ending);
  }
}
