/**
 * Moments at which nobody chose to kill or to cancel: counted in writes to Azure, the journal's among
 * them.
 */
import { seededRandom } from '../../simulator/clock/random.ts';
import type { Scene } from './harness.ts';
import { waitFor, type Running } from './processes.ts';

/** Of the whole test run; every message of a failure has it. */
export const seed = Number(process.env.SEED ?? Date.now() % 1000);

/**
 * Numbers of writes, one from each of `times` equal parts of a run that makes about `writes` of them: so that a few
 * moments are not all at its begin.
 */
export function momentsOf(times: number, writes: number, offset = 0): number[] {
  const random = seededRandom(seed * 100 + offset);
  return Array.from({ length: times }, (_, index) => Math.floor(((index + random()) / times) * writes));
}

/** A number of writes, or a write (`PUT /path`). */
export type Moment = number | RegExp;

/** Copies of blobs, of which there may be any number, and renewals of a lease, which pass with time. */
const isOfCourse = /\/understudy-replica\/|\/understudy\/pointer\.json|\/understudy\/run-lease\.json/;

/** The writes that Azure has carried out since this was made. */
export class Writes {
  readonly #scene: Scene;
  #last: number;
  count = 0;
  /** The last one. */
  last = '';

  private constructor(scene: Scene, last: number) {
    this.#scene = scene;
    this.#last = last;
  }

  static async since(scene: Scene): Promise<Writes> {
    return new Writes(scene, await scene.now());
  }

  /** Returns once there are so many, or one like this; false if `running` has ended before. */
  async reach(moment: Moment, running: Running): Promise<boolean> {
    return waitFor(
      `write ${String(moment)} (seed ${seed})`,
      async () => {
        if (!running.alive) return 'ended';
        await this.#look(typeof moment === 'number' ? undefined : moment);
        return (typeof moment === 'number' ? this.count >= moment : moment.test(this.last)) ? 'reached' : undefined;
      },
      120,
      10,
    ).then((how) => how === 'reached');
  }

  /** The last one is the last of a look: of several that came at once, the one that is sought counts. */
  async #look(sought?: RegExp): Promise<void> {
    for (const { sequence, method, path } of await this.#scene.requests(this.#last)) {
      this.#last = sequence;
      if (method === 'GET' || method === 'HEAD' || isOfCourse.test(path)) continue;
      this.count += 1;
      const write = `${method} ${path.split('?')[0]}`;
      if (!sought?.test(this.last)) this.last = write;
    }
  }
}
