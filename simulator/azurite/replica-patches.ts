/**
 * Joins the replicas to Azurite's record store: who asks the secondary is answered from the replica, where the account
 * has one.
 */

import { patch, prototypeOf } from './azurite-internals.ts';
import { replicaName, Replicas } from './replica.ts';

/** The reading calls of the store, whose first two arguments are the request's context and the account. */
const READS = [
  'getContainerProperties',
  'getContainerACL',
  'checkContainerExist',
  'listContainers',
  'listBlobs',
  'filterBlobs',
  'downloadBlob',
  'getBlobProperties',
  'getBlockList',
  'getPageRanges',
  'getBlobTag',
] as const;
const COPIES = ['startCopyFromURL', 'copyFromURL'] as const;
type Pending = ReturnType<Replicas['pendingBlobs']>;

interface Context {
  context?: { isSecondary?: boolean };
}
interface Source {
  account: string;
}

/** Changes Azurite's store before it is made; the answer gives the replicas once it has loaded its database. */
export function joinReplicas(now: () => number): () => Replicas {
  const store = prototypeOf('blob/persistence/LokiBlobMetadataStore');
  let replicas: Replicas | undefined;
  patch(store, 'init', (original) => {
    return async function init(this: { db: ConstructorParameters<typeof Replicas>[0] }): Promise<void> {
      await Reflect.apply(original, this, []);
      replicas ??= new Replicas(this.db, now);
    };
  });
  for (const method of READS) {
    patch(store, method, (original) => {
      return function read(this: unknown, context: Context, account: string, ...rest: never[]): unknown {
        const isReplica = context.context?.isSecondary === true && replicas?.isTracked(account) === true;
        return Reflect.apply(original, this, [context, isReplica ? replicaName(account) : account, ...rest]);
      };
    });
  }
  for (const method of COPIES) {
    patch(store, method, (original) => {
      return function copy(this: unknown, context: Context, source: Source, ...rest: unknown[]): unknown {
        const [, copySource] = rest;
        const isSecondary = typeof copySource === 'string' && namesSecondary(copySource, source.account);
        const isReplica = isSecondary && replicas?.isTracked(source.account) === true;
        const from = isReplica ? { ...source, account: replicaName(source.account) } : source;
        return Reflect.apply(original, this, [context, from, ...rest]);
      };
    });
  }
  keepPendingBytes(store, () => replicas);
  return () => {
    if (!replicas) throw new Error('Azurite has not loaded its database yet');
    return replicas;
  };
}

function namesSecondary(url: string, account: string): boolean {
  const { host, pathname } = new URL(url);
  return host.startsWith(`${account}-secondary.`) || pathname.startsWith(`/${account}-secondary/`);
}

/** Azurite sweeps the bytes that none of its records has; those of changes on their way are still to be read. */
function keepPendingBytes(store: ReturnType<typeof prototypeOf>, replicas: () => Replicas | undefined): void {
  patch(store, 'listAllBlobs', (original) => {
    return async function listAllBlobs(this: unknown, ...values: unknown[]): Promise<[Pending, unknown]> {
      const [blobs, marker] = (await Reflect.apply(original, this, values as never[])) as [Pending, unknown];
      const isFirst = values[1] === undefined || values[1] === '';
      return [isFirst ? [...blobs, ...(replicas()?.pendingBlobs() ?? [])] : blobs, marker];
    };
  });
}
