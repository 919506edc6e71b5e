import { mkdtempSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { freePort } from '../../scripts/services/free-port.ts';
import { addressOf, kinds, type PrivateServer, type ServerName, startServer } from '../../scripts/services/index.ts';

export type { PrivateServer, ServerName };

export interface Server {
  readonly url: string;
}

const running = new Map<ServerName, Server>();
for (const kind of Object.values(kinds)) {
  const url = addressOf(kind);
  if (await accepts(url)) running.set(kind.name, { url });
}

/** Returns a test server: from `npx kerf services`, or from the environment (`SERVER_KAFKA_URL`). Undefined when it is down. */
export function server(name: ServerName): Server | undefined {
  return running.get(name);
}

/** Returns the address of a running test server. Throws when it is down. */
export function urlOf(name: ServerName): string {
  const found = server(name);
  if (!found)
    throw new Error(`${name} does not answer at ${addressOf(kinds[name])}; run: npx kerf services up ${name}`);
  return found.url;
}

/**
 * Describes a suite that needs a test server. Without the server, skips the suite and says so in its title;
 * with `REQUIRE_SERVERS=1` the suite fails, unless the server has to be built from source.
 */
export function describeWith(name: ServerName, title: string, body: (server: Server) => void): void {
  const found = server(name);
  if (found) return void describe(title, () => body(found));
  const needs = `needs ${name}: npx kerf services up ${name}`;
  if (required(name)) describe(title, () => void it(needs, () => Promise.reject(new Error(missing(name)))));
  else describe.skip(`${title} (${needs})`, () => body({ url: addressOf(kinds[name]) }));
}

/** Starts a server that no other test uses, so that the test may kill or stop it. */
export async function privateServer(name: ServerName): Promise<PrivateServer> {
  return (await unavailableServer(name)).start();
}

/** Returns the address of a private server that refuses connections until `start`. */
export async function unavailableServer(
  name: ServerName,
): Promise<{ readonly url: string; start(): Promise<PrivateServer> }> {
  const kind = kinds[name];
  const port = await freePort(kind.portCount);
  const folder = mkdtempSync(join(tmpdir(), `kerf-${name}-`));
  return { url: kind.url(port), start: () => startServer(name, { port, folder }) };
}

/** Returns whether a missing server is a failure: with `REQUIRE_SERVERS=1`, and for servers that install in seconds. */
export function required(name: ServerName): boolean {
  return process.env.REQUIRE_SERVERS === '1' && kinds[name].buildMinutes === undefined;
}

function missing(name: ServerName): string {
  return `${name} does not answer at ${addressOf(kinds[name])} and REQUIRE_SERVERS=1 is set; run: npx kerf services up ${name}`;
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
