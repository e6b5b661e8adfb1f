/** A few bare requests to the local Azure, for a test to set up and to look, apart from the code that it tests. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloudAddress } from '../../simulator/cloud.ts';

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

export class ArmClient {
  readonly #address: CloudAddress;
  readonly #token: string;

  private constructor(address: CloudAddress, token: string) {
    this.#address = address;
    this.#token = token;
  }

  static async open(address: CloudAddress): Promise<ArmClient> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: address.clientId,
      client_secret: address.clientSecret,
      scope: `${address.arm}/.default`,
    });
    const url = `${address.authority}/${address.tenantId}/oauth2/v2.0/token`;
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await send(address.ca, 'POST', url, headers, form.toString());
    const { access_token: token } = JSON.parse(answer.body.toString()) as { access_token?: string };
    if (token === undefined) throw new Error(`no token: ${answer.body.toString()}`);
    return new ArmClient(address, token);
  }

  get(id: string, apiVersion: string): Promise<unknown> {
    return this.#json('GET', id, apiVersion);
  }

  post(id: string, apiVersion: string): Promise<unknown> {
    return this.#json('POST', id, apiVersion, {});
  }

  /** Puts, and waits until it is there. */
  async put(id: string, apiVersion: string, body: unknown): Promise<void> {
    await this.#json('PUT', id, apiVersion, body);
    for (let tries = 0; tries < 300; tries++) {
      const found = (await this.get(id, apiVersion)) as { properties?: { provisioningState?: string } };
      const state = found.properties?.provisioningState ?? 'Succeeded';
      if (state === 'Succeeded') return;
      if (state === 'Failed') throw new Error(`${id}: ${JSON.stringify(found)}`);
      await sleep(50);
    }
    throw new Error(`${id} is not there in time`);
  }

  /** A blob's content, by the account's key. */
  async blob(account: string, key: string, container: string, name: string): Promise<Buffer> {
    const base = this.#address.regions.eastus?.dataPlane ?? '';
    const date = new Date().toUTCString();
    const version = '2023-11-03';
    const path = `/${account}/${container}/${name}`;
    const signed = `GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:${date}\nx-ms-version:${version}\n/${account}${path}`;
    const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest('base64');
    const headers = {
      'x-ms-date': date,
      'x-ms-version': version,
      Authorization: `SharedKey ${account}:${signature}`,
    };
    const answer = await send(this.#address.ca, 'GET', `${base}${path}`, headers);
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.body.toString().slice(0, 300)}`);
    return answer.body;
  }

  async #json(method: string, id: string, apiVersion: string, body?: unknown): Promise<unknown> {
    const headers = { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' };
    const url = `${this.#address.arm}${id}?api-version=${apiVersion}`;
    const answer = await send(
      this.#address.ca,
      method,
      url,
      headers,
      body === undefined ? undefined : JSON.stringify(body),
    );
    if (answer.status >= 400) throw new Error(`${method} ${id}: ${answer.status} ${answer.body.toString()}`);
    return answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString());
  }
}

function send(
  ca: string,
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ca: readFileSync(ca) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
