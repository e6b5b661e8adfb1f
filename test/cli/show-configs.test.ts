/** What a person reads of config files before a move. */
import { expect, it } from 'vitest';
import { showConfigs } from '../../src/cli/show-configs.ts';
import { unknownLook, type TargetLook } from '../../src/switch/look-at-configs.ts';

const ready: TargetLook = {
  host: 'train-01',
  target: '/etc/ml/.env',
  state: 'ready',
  files: 1,
  changes: 2,
  findings: [],
};

it('says nothing where no config file is declared', () => {
  expect(showConfigs([])).toEqual([]);
});

it('says of each target how it stands, what is wrong where, and what to do; what nobody saw is unknown', () => {
  const finding = {
    file: '/srv/a.json',
    line: 3,
    column: 7,
    found: 'malformed JSON',
    expected: 'JSON',
    next: 'Correct it.',
  };
  const gone = unknownLook({ host: 'train-02', git: '/srv/repo', files: ['*'] }, 'no worker runs', 'Start one.');
  const failing: TargetLook = {
    ...ready,
    target: '/srv/a.json',
    state: 'fails',
    findings: [
      { severity: 'fails', ...finding },
      { severity: 'warning', ...finding, found: 'odd' },
    ],
    more: 4,
  };
  expect(showConfigs([ready, failing, gone]).join('\n')).toBe(`
config files
  ready     train-01: /etc/ml/.env: 2 values to change in 1 file
  FAILS     train-01: /srv/a.json: 2 values to change in 1 file
            FAILS: /srv/a.json:3:7: malformed JSON; expected JSON
            → Correct it.
            /srv/a.json:3:7: odd; expected JSON
            → Correct it.
            and 4 more
  unknown   train-02: /srv/repo: no worker runs
            → Start one.`);
});

it('says how many files get their original content again', () => {
  expect(showConfigs([{ ...ready, files: 3, restored: 2 }])[2]).toBe(
    '  ready     train-01: /etc/ml/.env: 2 values to change in 3 files (2 files as before the move)',
  );
});
