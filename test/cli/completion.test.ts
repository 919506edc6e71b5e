import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { candidatesFor } from '../../scripts/cli/complete.ts';
import { programFor } from '../../scripts/cli/main.ts';
import { shells } from '../../scripts/cli/shells.ts';

/** Completes the last word; a blank at the end begins a new one. */
const offered = async (typed: string) =>
  (await candidatesFor(typed.split(' '), programFor)).map(({ word }) => word).join(' ');

it.each([
  ['ext', 'extract'],
  ['help ext', 'extract'],
  ['extract pay', 'payments'],
  ['extract payments ', ''],
  ['extract --for-now pay', 'payments'],
  ['extract --via ', 'http grpc queue'],
  ['extract --via=g', '--via=grpc'],
  ['extract --via = g', 'grpc'],
  ['extract --via =', 'http grpc queue'],
  ['extract --ca', '--canary'],
  ['replace payments --artifact dist/', ''],
  ['start --only orders,pay', 'orders,payments'],
  ['dead-letters re', 'replay'],
  ['dead-letters replay --mod', '--module'],
  ['sagas settle orders.x --as ', 'done compensated'],
  ['build-module orders pay', 'payments'],
  ['faults put ga', 'gateway'],
  ['completion ', 'bash zsh fish'],
  ['nothing ', ''],
])('after "%s", "%s" fits', async (typed, words) => {
  expect(await offered(typed)).toBe(words);
});

it('explains each word', async () => {
  expect(await candidatesFor(['topol'], programFor)).toEqual([
    { word: 'topology', about: 'shows where each module runs' },
  ]);
});

/** For each shell: how it reads a script without running it, and how it completes a line with it. */
const runs: Record<keyof typeof shells, { check: string[]; complete: (script: string, words: string[]) => string }> = {
  bash: {
    check: ['-n', '-c'],
    complete: (script, words) =>
      `${script}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _kerf ${words[0]}; echo "\${COMPREPLY[@]}"`,
  },
  zsh: {
    check: ['-n', '-c'],
    complete: (script, words) =>
      `compdef() {}; _describe() { print -l $candidates }; _default() { echo files }\n${script}\nwords=(${words.join(' ')}); CURRENT=${words.length}; _kerf`,
  },
  fish: {
    check: ['--no-execute', '-c'],
    complete: (script, words) => `${script}\ncomplete -C '${words.join(' ')}'`,
  },
};

describe.each(Object.keys(runs) as (keyof typeof shells)[])('the script for %s', (shell) => {
  const { check, complete } = runs[shell];
  const run = (...words: string[]) => {
    const home = mkdtempSync(join(tmpdir(), 'kerf-shell-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    return spawnSync(shell, words, { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: home } });
  };
  const isInstalled = spawnSync(shell, ['-c', 'true']).status === 0;
  const title = isInstalled ? '' : ` (needs ${shell})`;

  it.skipIf(!isInstalled)(`is valid${title}`, () => {
    expect(run(...check, shells[shell])).toMatchObject({ status: 0, stderr: '' });
  });

  it.skipIf(!isInstalled).each([
    [['kerf', 'ext'], /^extract/],
    [['npx', 'kerf', 'ext'], /^extract/],
    [['npx', 'kerf', 'extract', '--for-now', 'pay'], /^payments/],
  ])(`completes %j${title}`, (words, expected) => {
    const { stdout, stderr } = run('-c', complete(shells[shell], words));
    expect([stdout, stderr]).toEqual([expect.stringMatching(expected), '']);
  });
});
