/** Azure with a listener: work that waits for a long-running operation uses Azure's answers as a sign of progress. */
import type { Azure, CallOptions } from './azure.ts';

/** Returns the same Azure, but calls `onAnswer` whenever ARM answers. */
export function listenTo(azure: Azure, onAnswer: () => void): Azure {
  const heard = (options?: CallOptions): CallOptions => ({
    ...options,
    onAnswer() {
      onAnswer();
      options?.onAnswer?.();
    },
  });
  return {
    ...azure,
    arm: {
      get: (path, version, options) => azure.arm.get(path, version, heard(options)),
      find: (path, version, options) => azure.arm.find(path, version, heard(options)),
      list: (path, version, options) => azure.arm.list(path, version, heard(options)),
      page: (path, version, options) => azure.arm.page(path, version, heard(options)),
      put: (path, version, body, options) => azure.arm.put(path, version, body, heard(options)),
      patch: (path, version, body, options) => azure.arm.patch(path, version, body, heard(options)),
      post: (path, version, body, options) => azure.arm.post(path, version, body, heard(options)),
      start: (path, version, options) => azure.arm.start(path, version, heard(options)),
      remove: (path, version, options) => azure.arm.remove(path, version, heard(options)),
    },
    blobAccount: (id, options) => azure.blobAccount(id, heard(options)),
  };
}
