/** Where colour is used: on a terminal, unless https://no-color.org or CI says otherwise. */
import picocolors from 'picocolors';

export type Paint = ReturnType<typeof picocolors.createColors>;

type Environment = Record<string, string | undefined>;

/** Whether the environment is one of continuous integration: what is printed is kept, and read elsewhere. */
export function isCi({ CI }: Environment): boolean {
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}

/** Set and not empty means no colour. */
export function allowsColour({ NO_COLOR }: Environment): boolean {
  return NO_COLOR === undefined || NO_COLOR === '';
}

/** Whether what is written to this stream may be coloured. */
export function usesColour(stream: { isTTY?: boolean }, env: Environment = process.env): boolean {
  return stream.isTTY === true && allowsColour(env) && !isCi(env) && env.TERM !== 'dumb';
}

/** Colours for this stream; where it takes none, they leave text as it is. */
export function paintFor(stream: { isTTY?: boolean }, env: Environment = process.env): Paint {
  return picocolors.createColors(usesColour(stream, env));
}
