import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const { vendors } = await import(`${process.cwd()}/.dependency-cruiser.js`);
const rings = ['kernel', 'adapters', 'control'];
const files = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .stdout.trim()
  .split('\n');
const read = (file: string) => readFileSync(file, 'utf8');
const readLines = (file: string) => read(file).split('\n');

/** Paths of examples: files that a reader may write. */
const examples = new Set([
  'src/modules/board/internal/peek.ts',
  'src/modules/wishlist/',
  'orders/internal/refund.ts',
  'orders/internal/report.ts',
]);

describe('what documents and comments say about files', () => {
  it.each(rings)('architecture: the tree shows every room of %s, and no other', (ring) => {
    expect(roomsInTree(ring).sort()).toEqual(readdirSync(`src/shared/${ring}`).sort());
  });

  it.each(rings)('architecture: every room of %s is described, and no other', (ring) => {
    const described = paragraphs().filter((paragraph) => paragraph.ring === ring);
    expect(described.flatMap(({ rooms }) => rooms).sort()).toEqual(readdirSync(`src/shared/${ring}`).sort());
  });

  it('architecture: a file without a folder is in the room that its paragraph describes', () => {
    const strays = paragraphs().flatMap(({ ring, rooms, text }) =>
      [...text.matchAll(/`([\w-]+\.ts)`/g)]
        .filter(([, name]) => !rooms.some((room) => hasFile(`src/shared/${ring}/${room}/`, name!)))
        .map(([, name]) => `${rooms.join(', ')}: ${name}`),
    );
    expect(strays).toEqual([]);
  });

  it('a path exists', () => {
    const stale = files
      .filter((file) => /\.(md|ts|mjs|js)$/.test(file))
      .flatMap((file) =>
        pathsIn(file)
          .filter((path) => !exists(path))
          .map((path) => `${file}: ${path}`),
      );
    expect(stale).toEqual([]);
  });

  it('a link leads to a file, and to a heading in it', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)]
          .map(([, link, heading]) => [link ? join(dirname(file), link) : file, heading] as const)
          .filter(([path, heading]) => !isFileOrFolder(path) || (heading && !headingsOf(path).includes(heading)))
          .map((target) => `${file}: ${target.join('#')}`),
      );
    expect(broken).toEqual([]);
  });

  it('README: its module is the least module, and its language changes no code', () => {
    const code = codeOf('README.md');
    expect(code.slice(1, 3)).toEqual(
      ['contract.ts', 'module.ts'].map((file) => `// notes/${file}\n${read(`test/modules/least/${file}`).trimEnd()}`),
    );
    expect(codeOf('README.ko.md')).toEqual(code);
    expect(Buffer.byteLength(read('README.md'))).toBeLessThan(9_000);
  });

  it('a page of docs/ begins with its question', () => {
    const pages = files.filter((file) => /^docs\/[\w-]+\.md$/.test(file));
    expect(pages.filter((page) => !/^# .+\n\n\*[^*]+\?\*\n/.test(read(page)))).toEqual([]);
  });

  it('vendors: a home under src/shared/ imports its package', () => {
    const idle = Object.entries<string[]>(vendors).flatMap(([name, homes]) =>
      homes.filter((home) => home.startsWith('shared/') && !imports(home, name)).map((home) => `${name}: ${home}`),
    );
    expect(idle).toEqual([]);
  });
});

/** The names at the beginning of the lines below a ring in the tree of docs/architecture.md. */
function roomsInTree(ring: string): string[] {
  const lines = readLines('docs/architecture.md');
  const below = lines.slice(lines.findIndex((line) => line.startsWith(`        ${ring}/`)) + 1);
  const end = below.findIndex((line) => !line.startsWith('          '));
  return below.slice(0, end).flatMap((line) => /^ +((?:[\w-]+\/ *)+)/.exec(line)![1]!.match(/[\w-]+/g)!);
}

/** The texts about rooms in docs/architecture.md. Each begins with the names of its rooms, and ends where the next begins. */
function paragraphs() {
  const found: { ring: string; rooms: string[]; text: string }[] = [];
  let ring: string | undefined;
  for (const line of readLines('docs/architecture.md')) {
    if (line.startsWith('#')) ring = /^### Ring \d: `(\w+)\/`/.exec(line)?.[1];
    if (!ring) continue;
    const [, rooms] = /^(?:- )?\*\*([\w-]+(?:, [\w-]+)*)\*\* /.exec(line) ?? [];
    if (rooms) found.push({ ring, rooms: rooms.split(', '), text: line });
    else if (found.at(-1)?.ring === ring) found.at(-1)!.text += line;
  }
  return found;
}

/** The paths in a document, or in the comments of a program, that begin with a folder of the project. */
function pathsIn(file: string): string[] {
  const lines = readLines(file);
  const texts = file.endsWith('.md')
    ? lines
    : lines.map((line) => /(?:^\s*(?:\/\*)?\*|\/\/ )(.*)$/.exec(line)?.[1] ?? '');
  const path =
    /(?<![\w./@:-])(?:src|test|scripts|bench|docs|deploy|kernel|control|adapters|\w+\/internal)\/[\w./-]*\w\/?/g;
  return texts.flatMap((text) => text.match(path) ?? []).filter((each) => !examples.has(each));
}

function exists(path: string): boolean {
  return ['', 'src/', 'src/shared/', 'src/modules/'].some((root) => isFileOrFolder(root + path));
}

/** The anchors of the headings in a document. */
function headingsOf(file: string): string[] {
  return readLines(file)
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

/** The blocks of code in a document, without the comments behind commands. */
function codeOf(file: string): string[] {
  const blocks = read(file).match(/^```ts\n[\s\S]*?\n```$|(?:^ {4}.+\n(?:\n(?= {4}))?)+/gm) ?? [];
  return blocks.map((block) =>
    block.startsWith('```') ? block.slice('```ts\n'.length, -'\n```'.length) : block.replace(/ +# .*$/gm, ''),
  );
}

function isFileOrFolder(path: string): boolean {
  const bare = path.replace(/\/$/, '');
  return files.some((file) => file === bare || file.startsWith(`${bare}/`));
}

function hasFile(folder: string, name: string): boolean {
  return files.some((file) => file.startsWith(folder) && file.endsWith(`/${name}`));
}

function imports(home: string, name: string): boolean {
  const specifier = new RegExp(`'${name}(/[^']*)?'`);
  return files.some((file) => file.startsWith(`src/${home}/`) && specifier.test(read(file)));
}
