import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Where a local path of a YAML file leads. */
export type LocalPath = (path: string, from: string) => string;

/** A path is relative to the file that names it; what is below `data/generated` may be kept in another folder. */
export function localPaths(folder: string, dataFolder: string | undefined): LocalPath {
  const generated = join(resolve(folder), 'data', 'generated');
  return (path, from) => {
    const local = isAbsolute(path) ? resolve(path) : resolve(dirname(from), path);
    const inside = relative(generated, local);
    if (dataFolder === undefined || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      return local;
    return join(resolve(dataFolder), inside);
  };
}
