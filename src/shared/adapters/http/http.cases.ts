import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { createCall, createClient, type Serve, type Transport } from '../../kernel/calls/index.ts';
import { sample, serve as serveSample } from '../../kernel/calls/transport.cases.ts';
import type { InternalListener, InternalListenerDependencies, TlsMaterial } from '../../kernel/ports/index.ts';
import type { OpenWire } from '../../kernel/ports/wire.cases.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { HttpTransport, type HttpWay } from './client.ts';
import { Lines } from './lines.ts';
import { createInternalServer } from './server.ts';

export const keys = fixedKeyRing('TEST', 'a secret of more than 32 characters');
export const tokens = new ServiceTokens(keys);

export interface CalleeOptions {
  readonly serve?: Serve;
  readonly tokens?: ServiceTokens;
  readonly log?: Log;
  readonly operate?: InternalListenerDependencies['operate'];
  readonly tls?: TlsMaterial;
  /** Default: any free port. */
  readonly port?: number;
}

/** The callee's end of the HTTP transport. */
export interface Callee extends InternalListener {
  readonly port: number;
  readonly address: string;
  /** Returns a link to the module. `close` also closes the link. */
  link(way?: Partial<HttpWay>): HttpTransport;
  /** Closes all connections, like a crash. */
  close(): Promise<void>;
}

export async function openCallee(parts: CalleeOptions = {}): Promise<Callee> {
  const common = { serve: serveSample, operate: async () => {}, tokens, log: silentLog };
  const internal = createInternalServer({ ...common, ...parts });
  const { server } = internal;
  await once(server.listen(parts.port ?? 0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const address = `${parts.tls?.cert ? 'https' : 'http'}://127.0.0.1:${port}`;
  const links: HttpTransport[] = [];
  return {
    ...internal,
    port,
    address,
    link(way) {
      const link = new HttpTransport({ address, module: 'sample', tokens, ...way });
      links.push(link);
      return link;
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Short times, so that a case can wait for them. */
export const silence = { askAfterMs: 200, goneAfterMs: 900 };

export async function openWire(tls?: TlsMaterial): Promise<OpenWire> {
  let callee = await openCallee({ tls });
  const { port, address } = callee;
  const at = (other: number) => address.replace(String(port), String(other));
  return {
    port,
    link: (other, shown = tokens) =>
      new HttpTransport({ address: at(other), module: 'sample', tokens: shown, tls, silence }),
    async restart(meanwhile) {
      await callee.close();
      await meanwhile();
      callee = await openCallee({ tls, port });
    },
    close: () => callee.close(),
  };
}

export function clientOver(transport: Transport) {
  return createClient(sample, (operation) => createCall(operation, 'other', () => transport));
}

/** An exchange of a foreign program: the test writes its bytes directly. */
export interface RawExchange {
  write(text: string): void;
  end(text?: string): void;
  /** The head of the answer. */
  readonly status: Promise<number>;
  /** Resolves with the next line of the answer, parsed; `''` for an empty line, `undefined` at a clean end. Rejects after a cut. */
  next(): Promise<unknown>;
  destroy(): void;
}

export async function openRaw(address: string, token?: string): Promise<RawExchange> {
  const authorization = `Bearer ${token ?? (await tokens.issue('other', 'sample'))}`;
  const headers = { authorization, 'transfer-encoding': 'chunked' };
  const request = plainRequest(`${address}/modules/sample`, { method: 'POST', headers });
  request.on('error', () => {});
  request.flushHeaders();
  const head = once(request, 'response');
  const lines = head.then(([response]) => linesOf(response));
  const status = head.then(([{ statusCode }]) => statusCode);
  for (const promise of [lines, status]) promise.catch(() => {});
  return {
    write: (text) => void request.write(text),
    end: (text) => void request.end(text),
    status,
    next: async () => (await (await lines).next()).value,
    destroy: () => void request.destroy(),
  };
}

async function* linesOf(response: AsyncIterable<Buffer>): AsyncGenerator<unknown, undefined> {
  const lines = new Lines(Number.POSITIVE_INFINITY);
  for await (const chunk of response) for (const line of lines.take(chunk)) yield line && JSON.parse(line);
  const rest = lines.end();
  if (rest) yield JSON.parse(rest);
  return undefined;
}

/** Returns the line of a call. */
export function callLine(id: number, operation: string, input: object, context: object = {}): string {
  return `${JSON.stringify({ id, operation, input, context: { requestId: 'r', deadlineMs: 60_000, ...context } })}\n`;
}
