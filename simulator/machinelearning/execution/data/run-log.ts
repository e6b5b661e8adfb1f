/**
 * What an orchestrated run (a pipeline, a sweep) says of itself: lines of a log among its artifacts, which clients
 * stream.
 */

import type { Cloud, Stored } from '../../../contract/index.ts';
import { below } from './blob-files.ts';
import { locateOutput } from './job-data.ts';

export class RunLog {
  private readonly cloud: Cloud;
  private readonly job: Stored;
  private readonly path: string;
  /** What it says already; undefined: not read yet. A run that goes on after a restart writes on. */
  private text: string | undefined;

  /** `path`: the log's name below the run's artifacts. */
  constructor(cloud: Cloud, job: Stored, path: string) {
    this.cloud = cloud;
    this.job = job;
    this.path = path;
  }

  /** Adds a line and shows it. A log that cannot be written keeps no run from going on. */
  async say(line: string): Promise<void> {
    const own = locateOutput(this.cloud, this.job, 'default');
    if (!own) return;
    const { account, container, path } = below(own, this.path);
    try {
      this.text ??= (await this.cloud.blobs.getBlob(account, container, path)) ?? '';
      this.text += `${line}\n`;
      await this.cloud.blobs.putBlob(account, container, path, Buffer.from(this.text));
    } catch (error) {
      this.cloud.log(`job '${this.job.resource.id}': its log could not be written: ${String(error)}`);
    }
  }

  /** The time on the cloud's clock, as logs have it. */
  now(): Date {
    return new Date(this.cloud.clock.now());
  }
}
