import { randomUUID } from 'node:crypto';
import { Connection, type Reply } from './connection.ts';
import type { Running } from './contestants.ts';

/** Results of a load: the times of successful answers in milliseconds, refusals with status and time, and failures in words. */
export interface Load {
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly done: number[];
  readonly refused: { status: number; ms: number; retryAfter: boolean }[];
  readonly failures: string[];
}

/** Creates a request for a token. */
export type Work = (token: string) => string;

const orderBody = JSON.stringify({ lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } });

export const orders: Work = (token) =>
  [
    'POST /orders HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `idempotency-key: ${randomUUID()}`,
    'prefer: wait=10',
    `content-length: ${orderBody.length}`,
    '',
    orderBody,
  ].join('\r\n');

export const product: Work = () => 'GET /products/WAX HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';

export const ownOrders: Work = (token) =>
  `GET /orders?limit=20 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n\r\n`;

/** Runs `clients` for `ms`. Each client sends its next request after the answer to the last one. */
export async function closedLoop(running: Running, work: Work, clients: number, ms: number): Promise<Load> {
  const load: Load = { seconds: 0, done: [], refused: [], failures: [] };
  const endAt = performance.now() + ms;
  const client = async (_: unknown, n: number) => {
    const connection = new Connection(running.port);
    while (performance.now() < endAt) await one(connection, work(tokenOf(running, n)), performance.now(), load);
    connection.close();
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return { ...load, seconds: (performance.now() - startedAt) / 1_000 };
}

const tickMs = 2;
const patienceMs = 10_000;
const keptConnections = 512;

/**
 * Sends `perSecond` requests for `ms` without waiting for earlier answers. Resolves when all are answered. The time of a request counts
 * from its due time. Requests use connections opened in advance, as a proxy does, and new ones when all are in use.
 */
export async function openLoop(running: Running, work: Work, perSecond: number, ms: number): Promise<Load> {
  const load: Load = { seconds: 0, done: [], refused: [], failures: [] };
  const inFlight = new Set<Promise<void>>();
  const idle = Array.from({ length: keptConnections }, () => new Connection(running.port));
  await Promise.all(idle.map((each) => each.open()));
  const startedAt = performance.now();
  const send = async (n: number) => {
    const connection = idle.pop() ?? new Connection(running.port);
    await one(connection, work(tokenOf(running, n)), startedAt + (n * 1_000) / perSecond, load);
    idle.push(connection);
  };
  await new Promise<void>((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      const elapsed = Math.min(ms, performance.now() - startedAt);
      for (; sent < (elapsed * perSecond) / 1_000; sent++) {
        const sending: Promise<void> = send(sent).finally(() => inFlight.delete(sending));
        inFlight.add(sending);
      }
      if (elapsed < ms) return;
      clearInterval(timer);
      resolve();
    }, tickMs);
  });
  await Promise.all(inFlight);
  for (const connection of idle) connection.close();
  return { ...load, seconds: (performance.now() - startedAt) / 1_000 };
}

async function one(connection: Connection, request: string, since: number, load: Load): Promise<void> {
  try {
    record(await connection.send(request, patienceMs), performance.now() - since, load);
  } catch (error) {
    load.failures.push((error as Error).message);
  }
}

function record({ status, body, retryAfter }: Reply, ms: number, { done, refused, failures }: Load): void {
  if (status === 200 || status === 201) done.push(ms);
  else if (status === 429 || status === 503) refused.push({ status, ms, retryAfter });
  else failures.push(`${status} ${body.slice(0, 200)}`);
}

function tokenOf({ tokens }: Running, n: number): string {
  return tokens[n % tokens.length]!;
}
