/** Config targets that can be refused without their hosts. */
import { expect, it } from 'vitest';
import { topologyOf } from './minimal.ts';

const load = (targets: string) => () => topologyOf(`configs: ${targets}\n`);

it.each(['../x.json', '/abs/*.json', 'jobs/../../x.json', '..', 'C:/x.json', '\\x.json'])(
  'refuses the glob %s, which leads out of its working copy',
  (glob) => {
    expect(load(`[{ host: a, git: /srv/t, files: ['${glob}'] }]`)).toThrow(
      `configs[0].files[0]: expected a glob below the working copy, such as "jobs/*.yml", got "${glob}"`,
    );
  },
);

it.each(['x..json', 'jobs/**', './config.json', 'jobs/../x.json', '*/x.yml'])('takes the glob %s', (glob) => {
  expect(load(`[{ host: a, git: /srv/t, files: ["${glob}"] }]`)).not.toThrow();
});

it.each([
  ['[{ host: a, file: /etc/x.json }, { host: a, file: /etc/./x.json }]', 'configs[1].file'],
  [
    '[{ host: a, git: /srv/t, files: [a.yml] }, { host: a, git: /srv/t/, files: [b.yml, a.yml] }]',
    'configs[1].files[1]',
  ],
  ['[{ host: a, git: /srv/t, files: [a.yml, ./a.yml] }]', 'configs[0].files[1]'],
])('refuses a file that is declared twice on a host: %s', (targets, place) => {
  expect(load(targets)).toThrow(`${place}: expected each file once on a host, got "`);
});

it('takes one file on two hosts, and several globs in one working copy', () => {
  expect(load('[{ host: a, file: /etc/x.json }, { host: b, file: /etc/x.json }]')).not.toThrow();
  expect(load('[{ host: a, git: /t, files: [a.yml] }, { host: a, git: /t, files: [b.yml] }]')).not.toThrow();
});
