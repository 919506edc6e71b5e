import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from './kind.ts';
import { installPackages } from './packages.ts';
import { find, pathOf } from './processes.ts';

/**
 * JetStream writes a message to its file before the acknowledgment, so acknowledged messages survive a kill. A call may have
 * 8 MiB and its context; by default the server accepts messages of 1 MiB.
 */
const settings = (port: number, folder: string) => `
listen: "127.0.0.1:${port}"
jetstream: { store_dir: ${JSON.stringify(join(folder, 'data'))} }
max_payload: 9MB
`;

const fileIn = (folder: string) => join(folder, 'nats.conf');

export const nats: Kind = {
  name: 'nats',
  port: 14222,
  variable: 'SERVER_NATS_URL',
  url: (port) => `nats://127.0.0.1:${port}`,

  installed: () => find('nats-server') !== undefined,
  install: () => installPackages('nats', ['nats-server']),

  prepare: ({ port, folder }) => writeFileSync(fileIn(folder), settings(port, folder)),
  commands: ({ folder }) => [{ program: pathOf('nats-server'), words: ['--config', fileIn(folder)], env: process.env }],

  hello: undefined,
  answer: (heard) => heard.includes('"jetstream":true'),
  stopSignal: 'SIGTERM',
};
