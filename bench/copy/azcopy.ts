/** azcopy, Azure's own copier, where it is installed: on PATH, or where the variable AZCOPY says. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { CloudAddress } from '../../simulator/cloud.ts';
import type { Place } from './plain-loop.ts';

/** Its path; undefined where there is none. */
export function findAzcopy(environment: NodeJS.ProcessEnv): string | undefined {
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = [
    ...(environment.AZCOPY ? [environment.AZCOPY] : []),
    ...folders.map((folder) => join(folder, 'azcopy')),
  ];
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface AzcopyRun {
  program: string;
  address: CloudAddress;
  from: Place;
  to: Place;
  concurrency: number;
  /** Where it writes its plans and logs. */
  folder: string;
}

/**
 * Its exit code is what it says; that it printed "Completed" means nothing. Throws an Error with its last words if it
 * failed.
 */
export async function runAzcopy({ program, address, from, to, concurrency, folder }: AzcopyRun): Promise<void> {
  await to.account.container(to.container).createIfNotExists();
  const args = ['copy', urlOf(from, 'rl'), urlOf(to, 'rcw'), '--from-to=BlobBlob', '--recursive', '--as-subdir=false'];
  const child = spawn(program, [...args, '--s2s-preserve-access-tier=false', '--log-level=ERROR'], {
    env: {
      ...process.env,
      AZCOPY_CONCURRENCY_VALUE: String(concurrency),
      AZCOPY_LOG_LOCATION: join(folder, 'log'),
      AZCOPY_JOB_PLAN_LOCATION: join(folder, 'plan'),
      SSL_CERT_FILE: address.ca,
      HTTPS_PROXY: address.proxy,
      NO_PROXY: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`azcopy ended with ${code}: ${said.slice(-1500)}`);
}

/** By the account's name in the host, as azcopy wants it: the local Azure's proxy leads there. */
function urlOf({ account, container, folder }: Place, permissions: string): string {
  const { credential } = account.service;
  if (!(credential instanceof StorageSharedKeyCredential)) throw new Error('the account has no key to sign with');
  const signature = generateBlobSASQueryParameters(
    {
      containerName: container,
      permissions: ContainerSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + 3_600_000),
    },
    credential,
  );
  const { port } = new URL(account.endpoint);
  const path = `${container}/${folder}`.replace(/\/$/, '');
  return `https://${account.name}.blob.core.localhost:${port}/${path}?${signature.toString()}`;
}
