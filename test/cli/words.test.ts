import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { programFor } from '../../scripts/cli/main.ts';
import { during } from '../../scripts/progress.mjs';
import { CommandHost } from '../harness/commands.ts';

const host = new CommandHost();
const kerf = (line: string) => {
  const [command = '', ...words] = line.split(' ');
  return host.run(command, words);
};

it.each([
  // unknown commands and actions
  ['extrac payments', "unknown command 'extrac' (did you mean extract?); see npx kerf --help"],
  ['topolgy --help', "unknown command 'topolgy' (did you mean topology?); see npx kerf --help"],
  ['help topolgy', "unknown command 'topolgy' (did you mean topology?); see npx kerf --help"],
  [
    'new modul wishlist',
    "unknown action 'modul' (did you mean module?); there are module, migration; see npx kerf new --help",
  ],
  ['sagas', 'name an action: list, show, resume, settle; see npx kerf sagas --help'],
  // options that are unknown, misspelled, misplaced, or of another command
  ['topology --colour', "unknown option '--colour'; see npx kerf topology --help"],
  ['extract payments --for-no', "unknown option '--for-no' (did you mean --for-now?); see npx kerf extract --help"],
  ['absorb payments --via grpc', "unknown option '--via'; see npx kerf absorb --help"],
  ['--json topology', "unknown option '--json'; see npx kerf --help"],
  ['sagas --state stuck list', "unknown option '--state'; see npx kerf sagas --help"],
  ['format --nope', "unknown option '--nope'; see npx kerf format --help"],
  // words that are missing, or too many
  ['extract', 'missing <module>: the module, such as payments; see npx kerf extract --help'],
  ['extract payments orders', 'unknown word "orders"; see npx kerf extract --help'],
  ['new module', 'missing <name>: small letters, digits and single hyphens, such as wishlist or gift-cards; see'],
  ['completion', 'missing <shell>: the shell; see npx kerf completion --help'],
  // options without their value, or with a value that may be an option
  ['extract payments --via', "'--via <transport>' needs its value; see npx kerf extract --help"],
  ['extract payments --via=', "'--via <transport>' needs its value; see"],
  [
    'advise --per --json',
    "'--per <operation>' needs its value, and '--json' may be an option; write --per=--json if it is",
  ],
  [
    'advise --seconds -1',
    "'--seconds <seconds>' needs its value, and '-1' may be an option; write --seconds=-1 if it is",
  ],
  [
    'check-releases --before v1 -t -x',
    "needs its value, and '-x' may be an option; write --test=-x if it is the value",
  ],
  ['extract payments --via pigeon', "argument 'pigeon' is invalid; it is one of http, grpc, queue; see"],
  ['services up redis', "value 'redis' is invalid for argument 'name'; it is one of rabbitmq, "],
  ['eject payments', "required option '--to <folder>' not specified; see npx kerf eject --help"],
])('"kerf %s" is wrong use', async (line, why) => {
  const { code, stdout, stderr } = await kerf(line);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect(stderr).toContain(why);
});

it.each([
  ['--help', /^Usage: npx kerf .*\nRun:\n {2}start .*\nMove:\n {2}extract .*\nLook:\n/s],
  ['help', /^Usage: npx kerf /],
  ['help extract', /^Usage: npx kerf extract .*--canary <share>/s],
  ['extract payments --help', /^Usage: npx kerf extract /],
  ['help sagas settle', /^Usage: npx kerf sagas settle .*--note <text>/s],
  ['--version', /^\d+\.\d+\.\d+\n$/],
])('"kerf %s" says how commands are used', async (line, expected) => {
  expect(await kerf(line)).toEqual({ code: 0, stdout: expect.stringMatching(expected), stderr: '' });
});

it('every command has a description and an explanation of each option and word', async () => {
  const { commands } = await programFor([]);
  for (const name of commands.map((each) => each.name())) {
    const command = (await programFor([name])).commands.find((each) => each.name() === name)!;
    for (const each of [command, ...command.commands]) {
      expect(each.description(), name).toMatch(/\.$/m);
      for (const { flags, description } of each.options) expect(description, `${name} ${flags}`).not.toBe('');
      for (const word of each.registeredArguments) expect(word.description, `${name} ${word.name()}`).not.toBe('');
    }
  }
});

it('a command without its name is wrong use', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/kerf.mjs'], { encoding: 'utf8' });
  expect([status, stdout, stderr]).toEqual([2, '', 'kerf: name a command; see npx kerf --help\n']);
});

it('topology loads no code of other commands', () => {
  const code = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { main } = await import('./scripts/cli/main.ts');
    await main(['topology', '--help']);
    console.error(JSON.stringify(loaded));`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  const loaded = JSON.parse(stderr.trim().split('\n').at(-1)!) as string[];
  expect(loaded.filter((url) => url.endsWith('scripts/topology.ts'))).toHaveLength(1);
  expect(loaded.filter((url) => url.endsWith('scripts/boundaries.ts') || url.endsWith('scripts/extract.ts'))).toEqual(
    [],
  );
  expect(loaded.filter((url) => /\/(typescript|rolldown|dependency-cruiser|vitest)\//.test(url))).toEqual([]);
});

describe('progress', () => {
  const terminal = (isTTY: boolean) => {
    const written: string[] = [];
    return { isTTY, written, write: (text: string) => written.push(text) > 0 };
  };

  it('is shown on a terminal until the work ends, also when it fails', async () => {
    const screen = terminal(true);
    expect(during('bundling', () => 7, screen)).toBe(7);
    await expect(during('watching', () => Promise.reject(new Error('lost')), screen)).rejects.toThrow('lost');
    expect(() =>
      during(
        'checking',
        () => {
          throw new Error('lost');
        },
        screen,
      ),
    ).toThrow('lost');
    expect(screen.written.join('')).toBe(
      ['bundling', 'watching', 'checking'].map((doing) => `\r\x1b[K… ${doing}\r\x1b[K`).join(''),
    );
  });

  it('is not shown elsewhere', () => {
    const file = terminal(false);
    expect(during('bundling', () => 7, file)).toBe(7);
    expect(file.written).toEqual([]);
  });
});
