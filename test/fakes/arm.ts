/** ARM in memory, as far as jobs and assets need it: case-insensitive ids, immutable jobs, lost answers on demand. */
import type { Arm, ArmResource, CallOptions, Json, JsonObject } from '../../src/azure/azure.ts';
import { parseArmId } from '../../src/azure/ids.ts';
import { UnderstudyError } from '../../src/errors/error.ts';

type Method = 'GET' | 'LIST' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

/**
 * `refused`: Azure says no; `silent`: nothing is done and no answer comes; `lost`: it is done, and the answer is lost.
 */
interface Fault {
  method: Method;
  path: RegExp;
  kind: 'silent' | 'lost' | { status: number; code: string };
  times: number;
}

export interface FakeArm extends Arm {
  /** Every resource, by id in lower case. */
  resources: Map<string, ArmResource>;
  /** `PUT /subscriptions/…`, in order, whether they succeeded or not. */
  requests: string[];
  faults: Fault[];
  /** What `POST {id}/{name}` does, beside `cancel`. */
  actions: Record<string, (resource: ArmResource, body: JsonObject) => Json>;
  add(id: string, resource: { properties: JsonObject } & Record<string, unknown>): ArmResource;
}

export function fakeArm(): FakeArm {
  const resources = new Map<string, ArmResource>();
  const requests: string[] = [];
  const faults: Fault[] = [];
  const actions: FakeArm['actions'] = {};
  const keyOf = (path: string) => (path.split('?', 1)[0] ?? '').toLowerCase();

  const add: FakeArm['add'] = (id, resource) => {
    const path = parseArmId(id)?.path ?? [];
    const type = path.map((each) => each.type).join('/');
    const whole: ArmResource = { ...structuredClone(resource), id, name: path.at(-1)?.name ?? '', type };
    resources.set(keyOf(id), whole);
    return whole;
  };

  const during = async <T>(
    method: Method,
    path: string,
    options: CallOptions | undefined,
    work: () => T,
  ): Promise<T> => {
    options?.signal?.throwIfAborted();
    options?.onSent?.();
    requests.push(`${method} ${path}`);
    const fault = faults.find((each) => each.times > 0 && each.method === method && each.path.test(path));
    if (fault) fault.times--;
    await Promise.resolve();
    if (fault && typeof fault.kind === 'object') {
      throw new UnderstudyError('AzureError', `${method} ${path}: ${fault.kind.code}`, { azure: fault.kind });
    }
    if (fault?.kind !== 'silent') {
      const result = work();
      if (fault?.kind !== 'lost') return structuredClone(result);
    }
    throw new UnderstudyError('AzureUnavailable', `${method} ${path}: no answer`);
  };

  const mustFind = (path: string) => {
    const found = resources.get(keyOf(path));
    if (found) return found;
    throw new UnderstudyError('AzureError', `${path} was not found`, {
      azure: { status: 404, code: 'ResourceNotFound' },
    });
  };

  const cancel = (job: ArmResource): Json => {
    const status = job.properties['status'];
    if (status === 'Completed' || status === 'Failed') {
      throw new UnderstudyError('AzureError', `job has ${status === 'Failed' ? 'failed' : 'completed'}`, {
        azure: { status: 400, code: 'UserError' },
      });
    }
    job.properties['status'] = 'Canceled';
    return null;
  };

  const act = (path: string, body: JsonObject): Json => {
    const at = path.lastIndexOf('/');
    const action = path.slice(at + 1);
    const found = mustFind(path.slice(0, at));
    if (action === 'cancel') return cancel(found);
    const known = actions[action];
    if (!known) throw new Error(`the fake has no action "${action}"`);
    return known(found, body);
  };

  const below = (path: string): ArmResource[] => {
    const prefix = `${keyOf(path)}/`;
    return [...resources]
      .filter(([key]) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .map(([, each]) => each);
  };

  return {
    resources,
    requests,
    faults,
    actions,
    add,
    get: (path, _version, options) => during('GET', path, options, () => mustFind(path)),
    find: (path, _version, options) => during('GET', path, options, () => resources.get(keyOf(path))),
    async *list(path, _version, options) {
      yield* await during('LIST', path, options, () => below(path));
    },
    page: async (path, _version, options) => ({
      value: await during('LIST', path, options, () => below(path)),
    }),
    put: (path, _version, body, options) =>
      during('PUT', path, options, () => {
        const existing = resources.get(keyOf(path));
        const isJob = parseArmId(path)?.path.at(-1)?.type === 'jobs';
        const properties = body['properties'] as JsonObject;
        if (existing && isJob) checkSame(existing.properties, properties);
        if (existing && isJob) return existing;
        const added = isJob ? { status: 'NotStarted', ...properties } : properties;
        return add(path, { ...body, properties: added });
      }),
    patch: (path, _version, body, options) =>
      during('PATCH', path, options, () => {
        const found = mustFind(path);
        merge(found as unknown as JsonObject, body);
        return found;
      }),
    post: (path, _version, body, options) => during('POST', path, options, () => act(path, body ?? {})),
    start: (path, _version, options) => during('POST', path, options, () => act(path, {})).then(() => undefined),
    remove: (path, _version, options) =>
      during('DELETE', path, options, () => {
        resources.delete(keyOf(path));
      }),
  };
}

/** Objects are merged, anything else is replaced: as ARM's PATCH does. */
function merge(into: JsonObject, change: JsonObject): void {
  for (const [key, value] of Object.entries(change)) {
    const there = into[key];
    const both = [there, value].every((each) => each !== null && typeof each === 'object' && !Array.isArray(each));
    if (both) merge(there as JsonObject, value as JsonObject);
    else into[key] = value;
  }
}

/** Nearly everything of a job is fixed once it is made. */
function checkSame(existing: JsonObject, wanted: JsonObject): void {
  const mutable = ['tags', 'description', 'displayName', 'isArchived', 'status'];
  const changed = Object.keys(wanted).filter(
    (key) => !mutable.includes(key) && JSON.stringify(wanted[key]) !== JSON.stringify(existing[key]),
  );
  if (changed.length > 0) {
    throw new UnderstudyError('AzureError', `${changed.join(', ')} cannot be changed`, {
      azure: { status: 400, code: 'UserError' },
    });
  }
}
