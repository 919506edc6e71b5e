import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Kerf } from '../harness/kerf.ts';

let kerf: Kerf;

beforeAll(async () => {
  kerf = await Kerf.start();
});
afterAll(() => kerf.stop());

/** Sends raw bytes. Resolves with the complete answer. */
function answerTo(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(kerf.url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}

const empty = ['Content-Length: 2', '', '{}'];
const request = (line: string, ...lines: string[]) => {
  const end = lines.includes('') ? '' : '\r\n\r\n';
  return [`${line} HTTP/1.1`, 'Host: a', 'Connection: close', ...lines].join('\r\n') + end;
};
const byNode: [string, string][] = [
  ['no HTTP', 'HELLO\r\n\r\n'],
  ['chunks in chunks', `${request('POST /sessions', 'Transfer-Encoding: chunked, chunked')}0\r\n\r\n`],
  ['an expectation', 'POST /members HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nConnection: close\r\n\r\n'],
  ['an address in other bytes', 'GET /products/\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
];
const byGateway: [string, string][] = [
  ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['two hosts', 'GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\nConnection: close\r\n\r\n'],
  ['the same host twice', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['two tokens', request('GET /healthz', 'Authorization: Bearer a', 'authorization: Bearer b')],
  ['two types', request('POST /sessions', 'Content-Type: application/json; v=1', 'Content-Type: text/plain', ...empty)],
  ['two keys', request('POST /orders', 'Idempotency-Key: a', 'Idempotency-Key: b', ...empty)],
  ['an encoding', `${request('POST /sessions', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`],
  ['two limits', request('GET /products?limit=1&limit=2')],
  ['the same limit twice', request('GET /products?limit=1&limit=1')],
  ['a path that is no UTF-8', 'GET /products/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['a query that is no UTF-8', 'GET /products?query=%C3%28 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['a header that is no UTF-8', 'GET /products HTTP/1.1\r\nHost: a\r\nPrefer: \xff\r\nConnection: close\r\n\r\n'],
];

it.each([...byNode, ...byGateway])('%s gets a problem and a request id', async (_, bytes) => {
  const [head = '', body = ''] = (await answerTo(bytes)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 /);
  expect(head).toMatch(/^content-type: application\/problem\+json$/im);
  expect(head).toMatch(/^x-request-id: [\da-f-]{36}$/im);
  expect(body).toContain('"code":"malformed-request"');
});

it.each(byGateway)('%s gets security headers', async (_, bytes) => {
  const [head = ''] = (await answerTo(bytes)).split('\r\n\r\n');
  expect(head).toMatch(/^x-content-type-options: nosniff$/im);
  expect(head).toMatch(/^x-frame-options: DENY$/im);
  expect(head).toMatch(/^referrer-policy: no-referrer$/im);
});
