import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Kerf } from '../harness/kerf.ts';

let kerf: Kerf;

beforeAll(async () => {
  kerf = await Kerf.start();
});
afterAll(() => kerf.stop());

/** Everything that is answered to these bytes. */
function answerTo(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(kerf.url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}

it.each([
  ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['no HTTP', 'HELLO\r\n\r\n'],
  ['an expectation', 'POST /members HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nConnection: close\r\n\r\n'],
])('%s is answered with a problem and a request id', async (_, bytes) => {
  const [head = '', body = ''] = (await answerTo(bytes)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 /);
  expect(head).toMatch(/^content-type: application\/problem\+json$/im);
  expect(head).toMatch(/^x-request-id: [\da-f-]{36}$/im);
  expect(body).toContain('"code":"malformed-request"');
});
