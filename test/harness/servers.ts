import { mkdtempSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { freePort } from '../../scripts/services/free-port.ts';
import { known, type PrivateServer, type ServerName, startServer } from '../../scripts/services/index.ts';

export type { PrivateServer, ServerName };

export interface Server {
  readonly url: string;
}

const names = Object.keys(known) as ServerName[];
const running = new Map<ServerName, Server>();
for (const name of names) {
  if (await accepts(address(name))) running.set(name, { url: address(name) });
}

/** Returns a test server: from `npm run services`, or from the environment (`SERVER_KAFKA_URL`). Undefined when it is down. */
export function server(name: ServerName): Server | undefined {
  return running.get(name);
}

/**
 * Describes a suite that needs a test server. Without the server, skips the suite and says so in its title;
 * with `REQUIRE_SERVERS=1` the suite fails.
 */
export function describeWith(name: ServerName, title: string, body: (server: Server) => void): void {
  const found = server(name);
  if (found) return void describe(title, () => body(found));
  const needs = `needs ${name}: npm run services -- up ${name}`;
  if (required()) describe(title, () => void it(needs, () => Promise.reject(new Error(missing(name)))));
  else describe.skip(`${title} (${needs})`, () => body({ url: address(name) }));
}

/** Starts a server that no other test uses, so that the test may kill or stop it. */
export async function privateServer(name: ServerName): Promise<PrivateServer> {
  return startServer(name, { port: await freePort(), folder: mkdtempSync(join(tmpdir(), `kerf-${name}-`)) });
}

/** Returns whether every test must run, so that a missing server is a failure. */
export function required(): boolean {
  return process.env.REQUIRE_SERVERS === '1';
}

function missing(name: ServerName): string {
  return `${name} does not answer at ${address(name)} and REQUIRE_SERVERS=1 is set; run: npm run services -- up ${name}`;
}

function address(name: ServerName): string {
  return process.env[known[name].variable] ?? known[name].url;
}

function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port), timeout: 500 });
    for (const event of ['connect', 'error', 'timeout'] as const) {
      socket.once(event, () => {
        socket.destroy();
        resolve(event === 'connect');
      });
    }
  });
}
