/** Bytes over a socket, as no HTTP client would send them. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawAnswer {
  /** Undefined: the connection was closed without an answer. */
  status: number | undefined;
  head: string;
  body: string;
}

export interface RawOptions {
  /** Speak TLS (the URL says so), or plain bytes at a TLS port. */
  tls?: boolean;
  /** Close our side after what was sent, instead of waiting for the answer: in the middle, then. */
  abort?: boolean;
  ca: string;
}

/**
 * Sends the bytes to the URL's host. Resolves with the answer, or when the other side closes, or after two quiet
 * seconds.
 */
export function sendRaw(url: string, bytes: string | Buffer, options: RawOptions): Promise<RawAnswer> {
  const { hostname, port, protocol } = new URL(url);
  const tls = options.tls ?? protocol === 'https:';
  return new Promise((resolve) => {
    let text = '';
    const socket: Socket = tls
      ? connectTls({ host: '127.0.0.1', servername: hostname, port: Number(port), ca: options.ca })
      : connect(Number(port), '127.0.0.1');
    const end = (): void => {
      socket.destroy();
      resolve(parse(text));
    };
    const begin = (): void => {
      if (options.abort === true) socket.write(bytes, () => setTimeout(end, 20));
      else socket.write(bytes);
    };
    socket.once(tls ? 'secureConnect' : 'connect', begin);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (isWhole(text)) end();
    });
    socket.on('error', end).on('close', end);
    socket.setTimeout(2000, end);
  });
}

function isWhole(text: string): boolean {
  const split = text.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(text.slice(0, split))?.[1];
  if (split < 0 || /^HTTP\/1.1 100/.test(text)) return false;
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length - split - 4 >= Number(length);
}

function parse(text: string): RawAnswer {
  const answer = text.replace(/^HTTP\/1\.1 100[^]*?\r\n\r\n/, '');
  const split = answer.indexOf('\r\n\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
  return {
    status: status === undefined ? undefined : Number(status),
    head: split < 0 ? answer : answer.slice(0, split),
    body: split < 0 ? '' : answer.slice(split + 4),
  };
}
