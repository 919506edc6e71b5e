import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CountingClock, changingCases, Ear, Notes } from '../../kernel/ports/discovery.cases.ts';
import { fileAddresses } from './file.ts';

function openFile(text?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-discovery-'));
  const file = join(folder, 'addresses');
  const [clock, notes, ear] = [new CountingClock(), new Notes(), new Ear()];
  const discovery = fileAddresses({ file, clock, log: notes.log });
  const write = (next: string) => writeFileSync(file, next);
  if (text !== undefined) write(text);
  return { folder, file, clock, notes, ear, discovery, write, close: () => rmSync(folder, { recursive: true }) };
}

/** Returns the folders that this process watches, from the list of Linux. */
function watchedFolders(): number {
  const lines = readdirSync('/proc/self/fdinfo').flatMap((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').split('\n');
    } catch {
      return []; // Closed meanwhile, such as the descriptor that read the folder.
    }
  });
  return lines.filter((line) => line.startsWith('inotify wd:')).length;
}

changingCases('a file', async (addresses) => {
  const before = process.platform === 'linux' ? watchedFolders() : 0;
  const { notes, write, ...opened } = openFile(addresses.join('\n'));
  return {
    ...opened,
    change: (next) => write(next.join('\n')),
    async fail() {
      const noted = notes.next();
      write('not an address\n');
      await noted;
    },
    ...(process.platform === 'linux' && { openResources: () => watchedFolders() - before }),
  };
});

describe('a file of addresses', () => {
  let opened: ReturnType<typeof openFile>;
  const start = (text?: string) => {
    opened = openFile(text);
    opened.discovery.watch(opened.ear.hear);
    return opened;
  };
  afterEach(() => {
    opened.discovery.stop();
    opened.close();
  });

  it('may have blank lines, comments and Windows line ends', () => {
    const { ear } = start('\ufeff# all\r\n\r\n http://10.0.0.7:4105 # the large one\r\nhttp://10.0.0.5:4105/\r\n');
    expect(ear.heard).toEqual([['http://10.0.0.5:4105', 'http://10.0.0.7:4105']]);
  });

  it('is followed when a rename replaces it', async () => {
    const { folder, file, ear } = start('http://a:1');
    for (const next of ['http://b:1', 'http://c:1']) {
      writeFileSync(join(folder, 'next'), next);
      renameSync(join(folder, 'next'), file);
      await ear.until([next]);
    }
  });

  it('is followed when Kubernetes replaces its link', async () => {
    opened = openFile();
    const { folder, file, ear, discovery } = opened;
    const mount = (version: string, text: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'addresses'), text);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    mount('..1', 'http://a:1');
    symlinkSync('..data/addresses', file);
    discovery.watch(ear.hear);
    mount('..2', 'http://b:1');
    await ear.until(['http://b:1']);
    expect(ear.heard).toEqual([['http://a:1'], ['http://b:1']]);
  });

  it('is polled every 5 s when the system reports no changes', () => {
    opened = openFile();
    const { folder, ear, discovery, clock } = opened;
    const far = join(folder, 'far');
    mkdirSync(far);
    writeFileSync(join(far, 'addresses'), 'http://a:1');
    symlinkSync(join('far', 'addresses'), opened.file);
    discovery.watch(ear.hear);
    writeFileSync(join(far, 'addresses'), 'http://b:1');
    clock.advance(4_999);
    expect(ear.heard).toEqual([['http://a:1']]);
    clock.advance(1);
    expect(ear.heard.at(-1)).toEqual(['http://b:1']);
  });

  it('is read immediately when an address is dead', () => {
    const { ear, discovery, write } = start('http://a:1\nhttp://b:1');
    write('http://b:1');
    discovery.dead('http://a:1');
    expect(ear.heard.at(-1)).toEqual(['http://b:1']);
  });

  it('keeps the addresses while it is invalid, empty or missing, and logs the problem and its end once', () => {
    const { ear, file, write, notes, clock } = start('http://a:1');
    const look = () => clock.advance(10_000);
    write('http://b:1\nhttp://b:2/api\n');
    look();
    write('# nothing yet\n');
    look();
    unlinkSync(file);
    look();
    expect(ear.heard).toEqual([['http://a:1']]);
    write('http://c:1');
    look();
    expect(ear.heard.at(-1)).toEqual(['http://c:1']);
    const warning = 'warn: the addresses in a file cannot be taken; those before are kept: ';
    const cure = 'write protocol, host and port, such as http://10.0.0.7:4105';
    expect(notes.lines).toEqual([
      `${warning}line 2: "http://b:2/api" is not an address; ${cure}`,
      `${warning}it names no address; ${cure}, one a line`,
      `${warning}ENOENT: no such file or directory, open '${file}'; put the file there, and let this process read it`,
      'info: the addresses in a file are followed again',
    ]);
  });

  it('may be missing at first, and is followed when it appears', async () => {
    const { ear, write } = start();
    expect(ear.heard).toEqual([[]]);
    write('http://a:1');
    await ear.until(['http://a:1']);
  });

  it('is followed again when its folder is removed and created again', async () => {
    const { ear, folder, write, clock, notes } = start('http://a:1');
    const noted = notes.next();
    rmSync(folder, { recursive: true });
    await noted;
    mkdirSync(folder);
    write('http://b:1');
    clock.advance(5_000);
    expect(ear.heard.at(-1)).toEqual(['http://b:1']);
    write('http://c:1');
    await ear.until(['http://c:1']);
  });

  it('may contain only HTTP addresses, since modules in a file are called over HTTP', () => {
    const { ear, notes, write, clock } = start('https://a:1\n\ngrpc://b:1\n');
    expect(ear.heard).toEqual([[]]);
    expect(notes.lines[0]).toContain(
      'line 3: grpc://b:1 is an address by grpc, and what a file lists is called by HTTP; write such as http://10.0.0.7:4105',
    );
    write('https://a:1\nhttp://b:1\n');
    clock.advance(10_000);
    expect(ear.heard.at(-1)).toEqual(['http://b:1', 'https://a:1']);
  });
});
