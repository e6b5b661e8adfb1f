/**
 * Looks into a Node program that was started with `--inspect=127.0.0.1:0`: what its threads hold once their garbage is
 * collected. By the protocol of Node's inspector.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Bytes. */
export interface Held {
  /** JavaScript objects, of all threads. */
  heap: number;
  /** Of those, what workflows hold: the threads that are not the main one. */
  workflowHeap: number;
  /** Buffers and what else lives outside V8's heap. */
  external: number;
}

export interface Inspector {
  held(): Promise<Held>;
  /** Of the main thread, as the developer tools of a browser read it. */
  snapshot(): Promise<string>;
  close(): void;
}

type Message = {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: unknown;
};

/** `log`: the file that the program's error output goes to. Throws where that names no address within ten seconds. */
export async function inspect(log: string): Promise<Inspector> {
  const socket = new WebSocket(await addressIn(log));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`the program of ${log} refuses its inspector`)));
  });
  const threads: string[] = [];
  const chunks: string[] = [];
  const waiting = new Map<string, (message: Message) => void>();
  let last = 0;
  const receive = ({ id, method, params, result, error }: Message, thread = '') => {
    if (method === 'NodeWorker.attachedToWorker') threads.push(String(params?.sessionId));
    if (method === 'NodeWorker.receivedMessageFromWorker')
      receive(JSON.parse(String(params?.message)) as Message, String(params?.sessionId));
    if (method === 'HeapProfiler.addHeapSnapshotChunk') chunks.push(String(params?.chunk));
    if (id !== undefined) waiting.get(`${thread}/${id}`)?.({ result, error });
  };
  socket.addEventListener('message', ({ data }) => receive(JSON.parse(String(data)) as Message));
  const send = async (method: string, params: object = {}, thread = ''): Promise<unknown> => {
    const id = ++last;
    const message = JSON.stringify({ id, method, params });
    const answered = new Promise<Message>((resolve) => waiting.set(`${thread}/${id}`, resolve));
    if (thread === '') socket.send(message);
    else await send('NodeWorker.sendMessageToWorker', { sessionId: thread, message });
    const { result, error } = await answered;
    waiting.delete(`${thread}/${id}`);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
  await send('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const heapOf = async (thread: string): Promise<number> => {
    await send('HeapProfiler.collectGarbage', {}, thread);
    return ((await send('Runtime.getHeapUsage', {}, thread)) as { usedSize: number }).usedSize;
  };
  return {
    async held() {
      const main = await heapOf('');
      const others = await Promise.all(threads.map(heapOf));
      const workflowHeap = others.reduce((sum, each) => sum + each, 0);
      const expression = 'process.memoryUsage().external';
      const { result } = (await send('Runtime.evaluate', { expression })) as { result: { value: number } };
      return { heap: main + workflowHeap, workflowHeap, external: result.value };
    },
    async snapshot() {
      chunks.length = 0;
      await send('HeapProfiler.takeHeapSnapshot');
      return chunks.join('');
    },
    close: () => socket.close(),
  };
}

async function addressIn(log: string): Promise<string> {
  for (const until = Date.now() + 10_000; Date.now() < until; await delay(50)) {
    const address = /ws:\/\/\S+/.exec(readFileSync(log, 'utf8'))?.[0];
    if (address !== undefined) return address;
  }
  throw new Error(`${log} names no address of an inspector`);
}
