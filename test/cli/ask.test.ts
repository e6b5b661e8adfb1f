/** What a person is asked, and when again. */
import { afterEach, expect, it, vi } from 'vitest';
import { askReason } from '../../src/cli/ask.ts';

afterEach(() => vi.restoreAllMocks());

/** A person who gives these answers. */
function person(...answers: string[]) {
  return { question: vi.fn(() => Promise.resolve(answers.shift() ?? 'asked too often')) };
}

it('a reason that is obligatory is asked for until there is one', async () => {
  const said = vi.spyOn(console, 'log').mockReturnValue();
  const terminal = person('', '  ', ' INC-4711 ');
  expect(await askReason(terminal, { obligatory: true })).toBe('INC-4711');
  expect(terminal.question).toHaveBeenCalledTimes(3);
  expect(said).toHaveBeenCalledWith('A loss is not accepted without a reason.');
});

it('a reason that is not obligatory may be left out', async () => {
  expect(await askReason(person('  '), { obligatory: false })).toBe('');
});
