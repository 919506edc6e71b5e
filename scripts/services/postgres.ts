import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from './kind.ts';
import { installPackages } from './packages.ts';
import { find, pathOf } from './processes.ts';
import { createData, dataIn, removeData, unprivileged } from './unprivileged.ts';

/** Debian keeps the programs of each version in a separate folder outside the search path. */
const debian = '/usr/lib/postgresql';
const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
const folders = versions.map((version) => join(debian, version, 'bin'));

export const postgres: Kind = {
  name: 'postgres',
  port: 15432,
  variable: 'SERVER_POSTGRES_URL',
  url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,

  installed: () => find('initdb', folders) !== undefined,
  install: () => installPackages('postgres', ['postgresql']),

  prepare({ folder }) {
    if (existsSync(join(folder, 'data'))) return;
    const user = unprivileged('postgres');
    createData(folder, user);
    const words = ['-D', dataIn(folder), '-U', 'postgres', '--auth=trust', '--no-locale', '--encoding=UTF8'];
    const { status, stdout, stderr } = spawnSync(pathOf('initdb', folders), words, {
      ...user,
      cwd: '/',
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`"initdb ${words.join(' ')}" failed:\n${stdout}${stderr}`);
  },
  commands({ port, folder }) {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'shared_buffers=32MB'];
    const words = ['-D', dataIn(folder), '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
    return [{ program: pathOf('postgres', folders), words, env: process.env, cwd: '/', ...unprivileged('postgres') }];
  },
  remove: ({ folder }) => removeData(folder),

  hello: startupPacket({ user: 'postgres', database: 'postgres' }),
  answer: (heard) => heard[0] === 'R'.charCodeAt(0),
  /** SIGINT is a fast shutdown: the server does not wait for its clients. */
  stopSignal: 'SIGINT',
};

function startupPacket(parameters: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(parameters).flat();
  const body = Buffer.from(`\0\x03\0\0${words.map((word) => `${word}\0`).join('')}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}
