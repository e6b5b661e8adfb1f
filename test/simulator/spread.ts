/** How a front spreads requests over origins that name themselves in `x-origin`. */
import type { TestCloud } from './running-cloud.ts';

/** Origin, or the status where none answered → how many requests. */
export async function spread(cloud: TestCloud, url: string, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let i = 0; i < count; i += 1) {
    const { headers, status } = await cloud.ask(url);
    const name = headers['x-origin'] ?? String(status);
    seen[name] = (seen[name] ?? 0) + 1;
  }
  return seen;
}
