/** `--environment FILE`: variables for this one command, in the format that shells and Node's --env-file read. */
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { parseEnv } from 'node:util';
import { messageOf, UnderstudyError } from '../errors/error.ts';

/**
 * Variables that are already set win. The certificate authority that the file names is trusted from now on, in addition
 * to one that the machine sets for its own purposes (a company proxy). UsageError names what cannot be read.
 */
export function loadEnvironment(file: string | undefined): void {
  if (file === undefined) return;
  const variables: NodeJS.Dict<string> = parseEnv(read(file, `--environment "${file}"`));
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
  const authority = variables.NODE_EXTRA_CA_CERTS;
  if (authority === undefined || authority === '') return;
  const certificates = read(authority, `NODE_EXTRA_CA_CERTS "${authority}", which "${file}" names`);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificates]);
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UnderstudyError('UsageError', `cannot read ${what}: ${messageOf(error)}`);
  }
}
