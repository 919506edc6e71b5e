import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { maximumBodyBytes } from '../../kernel/calls/index.ts';
import { callee } from '../../kernel/calls/sample.cases.ts';
import { type Callee, openCallee, tokens } from './http.cases.ts';

describe('the internal listener', () => {
  let opened: Callee;
  let token: string;
  beforeAll(async () => {
    opened = await openCallee();
    token = await tokens.issue('other', 'sample');
  });
  afterAll(() => opened.close());

  async function ask(shown: string | undefined, path: string, body: string, more: RequestInit = {}) {
    const answer = await fetch(`${opened.address}/modules/sample${path}`, {
      ...{ method: 'POST', body },
      ...more,
      headers: { ...(shown !== undefined && { authorization: `Bearer ${shown}` }), ...more.headers },
    });
    const challenge = answer.headers.get('www-authenticate');
    return {
      ...{ status: answer.status, body: (await answer.json()) as { code?: string } },
      ...(challenge !== null && { challenge }),
    };
  }

  it('answers a plain HTTP call of any program with a token', async () => {
    expect(await ask(token, '/echo', '{"text":"x"}')).toEqual({ status: 200, body: { text: 'x' } });
  });

  it('reads no body as no input, and answers 204 without an output', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${opened.address}/modules/sample/find`, { method: 'POST', headers });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(await ask(token, '/find', '"x"')).toEqual({ status: 200, body: 'x' });
    expect(await ask(token, '/echo', '')).toMatchObject({ status: 422, body: { code: 'invalid-input' } });
  });

  it('reads the context from headers, which are all optional', async () => {
    const { body: none } = await ask(token, '/whoAsks', '{}');
    expect(none).toEqual({
      ...{ requestId: 'none', member: null, roles: null, caller: 'other', idempotencyKey: null },
      ...{ traceparent: null, tracestate: null, baggage: null },
    });
    const headers = {
      'x-request-id': 'r-1',
      'idempotency-key': randomUUID(),
      'kerf-member': await tokens.vouch({ member: 'm-1', roles: ['editor'] }),
      'kerf-roles': 'admin',
    };
    const { body } = await ask(token, '/whoAsks', '{}', { headers });
    expect(body).toMatchObject({
      requestId: 'r-1',
      member: 'm-1',
      roles: 'editor',
      idempotencyKey: headers['idempotency-key'],
    });
    const timed = await ask(token, '/never', '{}', { headers: { 'kerf-deadline-ms': '20' } });
    expect(timed).toMatchObject({ status: 504, body: { code: 'timeout' } });
  });

  it('answers 401 to a token that is missing, forged, or issued for another module', async () => {
    const forged = new ServiceTokens(fixedKeyRing('TEST', 'another secret of more than 32 characters'));
    const bad = [undefined, 'nonsense', await forged.issue('other', 'sample'), await tokens.issue('other', 'payments')];
    for (const each of bad) {
      for (const path of ['', '/echo']) {
        const { body, challenge } = await ask(each, path, '{"text":"x"}');
        expect(body).toMatchObject({ status: 401, code: 'unauthenticated' });
        expect(challenge).toBe('Bearer');
      }
    }
  });

  it('closes the connection of an unauthenticated caller that keeps sending', async () => {
    const { port } = new URL(opened.address);
    const socket = connect(Number(port), '127.0.0.1');
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.on('error', () => {});
    socket.write('POST /modules/sample HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const sending = setInterval(() => socket.write('1\r\nx\r\n'), 10);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(sending);
    expect(said).toContain('HTTP/1.1 401');
    expect(said).toContain('Connection: close');
  });

  it('limits the body of an admin request', async () => {
    for (const [headers, body] of [
      [{ 'content-length': String(2 * 1024 * 1024) }, 'x'.repeat(2 * 1024 * 1024)],
      [{ 'transfer-encoding': 'chunked' }, 'x'],
    ] as const) {
      const status = await new Promise((resolve, reject) => {
        const asked = request(`${opened.address}/ops/faults`, { method: 'PUT', headers }, ({ statusCode }) =>
          resolve(statusCode),
        );
        asked.once('error', reject);
        asked.end(body);
      });
      expect(status).toBe(413);
    }
  });

  it('leaves the limit of spans in chunks to their route, and no other body', async () => {
    const served = await openCallee({ operate: async (_, response) => void response.writeHead(204).end() });
    const { port } = new URL(served.address);
    const statuses = ['/v1/traces', '/v1/../ops/faults', '/v1/traces/../../ops/faults', '/v1/logs'].map((path) => {
      const headers = { 'transfer-encoding': 'chunked' };
      return new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, ({ statusCode }) =>
          resolve(statusCode),
        );
        asked.once('error', reject);
        asked.end('x');
      });
    });
    expect(await Promise.all(statuses)).toEqual([204, 413, 413, 413]);
    await served.close();
  });

  it('ends an exchange with a duplicate id', async () => {
    const line = (operation: string) =>
      JSON.stringify({ id: 1, operation, input: {}, context: { requestId: 'r', deadlineMs: 5_000 } });
    const twice = await ask(token, '', `${line('never')}\n${line('whoAsks')}\n`);
    expect(twice).toMatchObject({ status: 400, body: { code: 'malformed-request' } });
  });

  it('answers an invalid request with a problem', async () => {
    expect(await ask(token, '/echo', '{"text":')).toMatchObject({ status: 400, body: { code: 'malformed-body' } });
    expect(await ask(token, '/nothing', '{}')).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await ask(token, '/echo', '{}')).toMatchObject({ status: 422, body: { code: 'invalid-input' } });
    const put = await ask(token, '/echo', '{}', { method: 'PUT' });
    expect(put).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } });
  });

  it('refuses inputs and answers over the limit', async () => {
    const letters = maximumBodyBytes;
    const given = await ask(token, '/echo', JSON.stringify({ text: 'x'.repeat(letters) }));
    expect([given.status, given.body.code]).toEqual([413, 'body-too-large']);
    const grown = await ask(token, '/grow', JSON.stringify({ letters }));
    expect([grown.status, grown.body.code]).toEqual([413, 'body-too-large']);
  });

  it('cancels the call of a caller that disconnects', async () => {
    const [id, controller] = [randomUUID(), new AbortController()];
    const answer = ask(token, '/hold', JSON.stringify({ id }), {
      signal: controller.signal,
      headers: { 'kerf-deadline-ms': '60000' },
    });
    await callee.hanging.begun(id);
    controller.abort();
    await expect(answer).rejects.toThrow();
    await callee.hanging.told(id);
  });
});
