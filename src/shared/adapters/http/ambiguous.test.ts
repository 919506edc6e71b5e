import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Callee, openCallee, tokens } from './http.cases.ts';

let callee: Callee;
let operated = 0;

beforeAll(async () => {
  callee = await openCallee({
    async operate(_, response) {
      operated += 1;
      response.end('{}');
    },
  });
});
afterAll(() => callee.close());

/** Resolves with the head of the answer to a request with these header lines. */
function headOf(path: string, lines: readonly string[], body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(callee.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
    const head = [`POST ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

const length = 'Content-Length: 12';
const twice: [string, string[]][] = [
  ['hosts', ['Host: y', length]],
  ['types', ['Content-Type: application/json', 'content-type: text/plain', length]],
  ['keys', ['Idempotency-Key: a', 'Idempotency-Key: b', length]],
  ['deadlines', ['Kerf-Deadline-Ms: 1000', 'kerf-deadline-ms: 2000', length]],
  ['members', ['Kerf-Member: a', 'Kerf-Member: b', length]],
  ['encodings', ['Transfer-Encoding: gzip, chunked']],
  ['encodings in two lines', ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked']],
];

it.each(twice)('a call or an admin request with two %s is refused', async (_, lines) => {
  const bearer = `Authorization: Bearer ${await tokens.issue('other', 'sample')}`;
  const text = JSON.stringify({ text: 'x' });
  const body = lines.includes(length) ? text : `c\r\n${text}\r\n0\r\n\r\n`;
  for (const path of ['/modules/sample/echo', '/ops/faults']) {
    expect(await headOf(path, [bearer, ...lines], body)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"malformed-request"/);
  }
  expect(operated).toBe(0);
});

it('a call with two tokens is refused, although Node would use the first', async () => {
  const bearer = `Authorization: Bearer ${await tokens.issue('other', 'sample')}`;
  const answer = await headOf('/modules/sample/echo', [bearer, bearer, length], '{"text":"x"}');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});
