/**
 * A timeout for a whole response. The SDK's clients stop their timer once the headers have arrived, and would wait
 * forever for a body that never comes.
 */
import { pipeline, Transform } from 'node:stream';
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';

/** What requests of all generations of the SDK's pipeline have in common. */
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

/** One for all clients, so that they share connections. */
const shared = createDefaultHttpClient();

/**
 * Returns an HTTP client for the SDK's clients. The `timeout` of a request (or `timeoutMs` if it has none) covers its
 * whole response. For a streamed body it covers each wait for more data. After that, it throws an AbortError.
 */
export function wholeAnswers(timeoutMs: number): HttpClient {
  return {
    sendRequest(request) {
      if (request.timeout === 0) request.timeout = timeoutMs;
      return withinTimeout(request, (limited) => shared.sendRequest(limited));
    },
  };
}

/** Sends a request within its `timeout`: for a whole short response, or for the next bytes of a stream. */
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

/** Passes the bytes through. Fails if none arrive within the timeout although they are requested. */
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
