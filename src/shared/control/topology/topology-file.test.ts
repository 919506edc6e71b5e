import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuseUnwritable, withPlacement, writePlacement } from './topology-file.ts';

describe('the line of a module', () => {
  it.each([
    ['an empty file', '', 'modules:\n  payments: http\n'],
    ['a file without modules', 'bus: mitt\n', 'bus: mitt\nmodules:\n  payments: http\n'],
    [
      'comments alone below modules',
      '# What runs where\nbus: mitt # events\nmodules:\n#  orders: http\n',
      '# What runs where\nbus: mitt # events\nmodules:\n  #  orders: http\n  payments: http\n',
    ],
    [
      'others, which stay as they are',
      'modules:\n  # of the shop\n  orders: grpc # soon more\n\n  mail: [ "http://a:1", "http://b:1" ]\n# the end\n',
      'modules:\n  # of the shop\n  orders: grpc # soon more\n\n  mail: [ "http://a:1", "http://b:1" ]\n  payments: http\n\n# the end\n',
    ],
    [
      'a line that has a comment',
      'modules:\n  payments: in-process # for now\n',
      'modules:\n  payments: http # for now\n',
    ],
    ['a written-out one', 'modules:\n  payments: { via: grpc, instances: 3 }\n', 'modules:\n  payments: http\n'],
  ])('is written into %s', (_, before, after) => {
    expect(withPlacement(before, 'payments', 'http')).toBe(after);
  });

  it('says in-process only where there was another word', () => {
    expect(withPlacement('bus: mitt\n', 'payments', 'in-process')).toBe('bus: mitt\n');
    expect(withPlacement('modules:\n  payments: http # x\n', 'payments', 'in-process')).toBe(
      'modules:\n  payments: in-process # x\n',
    );
  });

  it('is not written into what is no YAML', () => {
    expect(() => withPlacement('modules: [', 'payments', 'http')).toThrow('it is not well-formed YAML any more');
  });
});

describe('the file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kerf-topology-'));
    file = join(folder, 'topology.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made when it is not there, and leaves nothing beside it', () => {
    writePlacement(file, 'payments', 'http');
    expect(readFileSync(file, 'utf8')).toBe('modules:\n  payments: http\n');
    expect(readdirSync(folder)).toEqual(['topology.yaml']);
  });

  it('is written where a link leads', () => {
    const real = join(folder, 'real.yaml');
    writeFileSync(real, 'bus: mitt\n');
    symlinkSync(real, file);
    writePlacement(file, 'payments', 'grpc');
    expect(readFileSync(real, 'utf8')).toBe('bus: mitt\nmodules:\n  payments: grpc\n');
    expect(readdirSync(folder).sort()).toEqual(['real.yaml', 'topology.yaml']);
  });

  it('is refused when nothing can be written beside it, or it is no file', () => {
    refuseUnwritable(file);
    expect(readdirSync(folder)).toEqual([]);
    expect(() => refuseUnwritable(join(folder, 'no', 'topology.yaml'))).toThrow('ENOENT');
    expect(() => refuseUnwritable('/dev/null')).toThrow('/dev/null is not a file that can be written');
  });
});
