/**
 * A time limit for the whole of an answer. The clients of the SDK stop their clock when the headers are there, and would wait
 * without end for a body that never comes.
 */
import { pipeline, Transform } from 'node:stream';
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';

/** What the SDK's requests have in common, whichever generation of its pipeline they are of. */
interface LimitedRequest {
  timeout: number;
  abortSignal?: AbortSignalLike | undefined;
}

interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

interface Streamed {
  readableStreamBody?: NodeJS.ReadableStream | undefined;
}

/** One for all clients, so that they share their connections. */
const shared = createDefaultHttpClient();

/**
 * An HTTP client for the SDK's clients: `timeout` of a request (or `timeoutMs`, where it has none) is for its whole answer; of a body that
 * is streamed, for each wait for more of it. Past that, an AbortError.
 */
export function wholeAnswers(timeoutMs: number): HttpClient {
  return {
    sendRequest(request) {
      if (request.timeout === 0) request.timeout = timeoutMs;
      return withinTimeout(request, (limited) => shared.sendRequest(limited));
    },
  };
}

/** Sends, and waits no longer than the request's `timeout`: for all of a short answer, or for the next bytes of a stream. */
export async function withinTimeout<Q extends LimitedRequest, R extends Streamed>(
  request: Q,
  send: (request: Q) => Promise<R>,
): Promise<R> {
  const { timeout, abortSignal } = request;
  const limit = new AbortController();
  const cancel = () => limit.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    cancel();
  }, timeout);
  if (abortSignal?.aborted) cancel();
  abortSignal?.addEventListener('abort', cancel);
  const release = () => abortSignal?.removeEventListener('abort', cancel);
  request.abortSignal = limit.signal;
  try {
    const response = await send(request);
    if (!response.readableStreamBody) release();
    else response.readableStreamBody = whileItFlows(response.readableStreamBody, timeout, release);
    return response;
  } catch (error) {
    release();
    throw late ? new DOMException('no answer in time', 'AbortError') : error;
  } finally {
    clearTimeout(timer);
    // A retry of the SDK sends the same request again.
    request.abortSignal = abortSignal;
  }
}

/** The same bytes; an error once nothing has come for so long, though they are asked for. */
function whileItFlows(body: NodeJS.ReadableStream, timeoutMs: number, ended: () => void): Transform {
  let cameAt = performance.now();
  const through = new Transform({
    transform(chunk, _encoding, done) {
      cameAt = performance.now();
      done(null, chunk);
    },
  });
  const watch = setInterval(
    () => {
      // Full: the reader is slow, not the server.
      if (through.readableLength >= through.readableHighWaterMark) cameAt = performance.now();
      if (performance.now() - cameAt > timeoutMs)
        through.destroy(Object.assign(new Error('no more bytes in time'), { code: 'ETIMEDOUT' }));
    },
    Math.max(10, timeoutMs / 10),
  );
  pipeline(body, through, () => {
    clearInterval(watch);
    ended();
  });
  return through;
}
