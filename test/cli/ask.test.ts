/** What a person is asked, and when again. */
import { expect, it, vi } from 'vitest';
import { askReason } from '../../src/cli/ask.ts';

/** A person who gives these answers. */
function person(...answers: string[]) {
  return { question: vi.fn(() => Promise.resolve(answers.shift() ?? 'asked too often')) };
}

it('a reason that is obligatory is asked for until there is one', async () => {
  const terminal = person('', '  ', ' INC-4711 ');
  expect(await askReason(terminal, { obligatory: true })).toBe('INC-4711');
  expect(terminal.question).toHaveBeenCalledTimes(3);
  expect(terminal.question).toHaveBeenLastCalledWith(
    expect.stringContaining('A loss is not accepted without a reason.'),
  );
});

it('a reason that is not obligatory may be left out', async () => {
  expect(await askReason(person('  '), { obligatory: false })).toBe('');
});
