import { expect, it } from 'vitest';
import { paintFor, usesColour } from '../../../src/cli/view/colour.ts';

it.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { CI: 'true' }, false],
  [true, { CI: 'false' }, true],
  [true, { TERM: 'dumb' }, false],
])('on a terminal (%s) with %j: colour %s', (isTTY, env, expected) => {
  expect(usesColour({ isTTY }, env)).toBe(expected);
  expect(paintFor({ isTTY }, env).red('x') !== 'x').toBe(expected);
});
