import { join } from 'node:path';
import { installPackages } from './packages.mjs';
import { find } from './processes.mjs';

/** @type {import('./kind.d.mts').Kind} */
export const nats = {
  name: 'nats',
  port: 14222,
  variable: 'SERVER_NATS_URL',
  url: (port) => `nats://127.0.0.1:${port}`,

  installed: () => find('nats-server') !== undefined,
  install: () => installPackages('nats', ['nats-server']),

  prepare() {},
  /** JetStream writes a message to its file before it acknowledges it: what was acknowledged survives a kill. */
  commands({ port, folder }) {
    const words = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', join(folder, 'data')];
    return [{ program: find('nats-server'), words, env: process.env }];
  },

  hello: undefined,
  answer: (heard) => heard.includes('"jetstream":true'),
  stopSignal: 'SIGTERM',
};
