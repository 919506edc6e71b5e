import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Authority, fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { maximumBodyBytes } from '../../kernel/calls/index.ts';
import { callee } from '../../kernel/calls/sample.cases.ts';
import { maximumMessageBytes } from '../../kernel/ports/index.ts';
import { type Callee, type CalleeOptions, callLine, clientOver, keys, openCallee, openRaw } from './http.cases.ts';

const opened: Callee[] = [];
const open = async (parts: CalleeOptions = {}) => {
  const one = await openCallee(parts);
  opened.push(one);
  return one;
};
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const problem = (id: number, code: string) => ({ id, problem: expect.objectContaining({ code }) });
const echoX = (id: number) => callLine(id, 'echo', { text: 'x' });

describe('a faulty exchange', () => {
  const garbage = ['no JSON\n', '"text"\n', 'null\n', '7\n', '[]\n', '{"call":1}\n', '{"id":"1"}\n', '\u0000\n'];

  it('is refused as a whole when its first line is invalid', async () => {
    const { address } = await open();
    for (const line of garbage) {
      const { write, status, next } = await openRaw(address);
      write(line);
      expect([400, 422]).toContain(await status);
      expect(await next()).toMatchObject({ code: expect.stringMatching(/^(malformed-body|invalid-input)$/) });
    }
  });

  it('is closed at a later invalid line: calls in flight are cancelled, and later lines ignored', async () => {
    const { address, link } = await open();
    const { times } = callee.added;
    for (const line of garbage) {
      const { write, next } = await openRaw(address);
      const id = randomUUID();
      write(`\n${callLine(1, 'hold', { id })}`);
      expect(await next()).toBe('');
      await callee.hanging.begun(id);
      write(line + callLine(2, 'add', { n: 1 }));
      write(callLine(3, 'add', { n: 1 }));
      await expect(next()).rejects.toThrow();
      await callee.hanging.told(id);
    }
    await clientOver(link()).echo({ text: 'after' });
    expect(callee.added.times).toBe(times);
  });

  it('ignores all lines after a refused first line', async () => {
    const { address, link } = await open();
    const { times } = callee.added;
    const { write, status, next, destroy } = await openRaw(address);
    write('no JSON\n');
    expect(await status).toBe(400);
    write(callLine(1, 'add', { n: 1 }));
    write(callLine(2, 'add', { n: 1 }));
    expect([await next(), await next()]).toEqual([expect.objectContaining({ code: 'malformed-body' }), undefined]);
    await clientOver(link()).echo({ text: 'after' });
    destroy();
    expect(callee.added.times).toBe(times);
  });

  it('reports a line over the limit, also while more of it arrives', async () => {
    const { address } = await open();
    const { write, status, next, destroy } = await openRaw(address);
    const piece = 'x'.repeat(64 * 1024);
    for (let bytes = 0; bytes <= maximumMessageBytes + 4 * piece.length; bytes += piece.length) write(piece);
    expect(await status).toBe(413);
    expect(await next()).toMatchObject({ code: 'body-too-large' });
    destroy();
  });

  it('refuses each call after the expiry of its token', async () => {
    let aheadMs = 0;
    const authority = new Authority(keys, () => Date.now() + aheadMs);
    const { address } = await open({ tokens: new ServiceTokens(authority) });
    const { write, next } = await openRaw(address);
    write(echoX(1));
    expect(await next()).toEqual({ id: 1, output: { text: 'x' } });
    aheadMs = 61_000;
    write(echoX(2) + echoX(3));
    expect([await next(), await next()]).toEqual([problem(2, 'unauthenticated'), problem(3, 'unauthenticated')]);
    write('\n');
    expect(await next()).toBe('');
  });

  it('asks its caller to leave after a key rotation, and refuses calls a second later', async () => {
    let [now, current] = [Date.now(), keys];
    const ring = {
      signing: () => current.signing(),
      find: (kid: string) => current.find(kid),
      all: () => current.all(),
    };
    const authority = new Authority(ring, () => now);
    const { address } = await open({ tokens: new ServiceTokens(authority) });
    const { write, next } = await openRaw(address);
    write(echoX(1));
    expect(await next()).toEqual({ id: 1, output: { text: 'x' } });
    current = fixedKeyRing('TEST', 'another secret of more than 32 characters');
    await authority.renew();
    expect(await next()).toEqual({ leaving: true });
    write(echoX(2));
    expect(await next()).toEqual({ id: 2, output: { text: 'x' } });
    now += 1_001;
    write(echoX(3));
    expect(await next()).toEqual(problem(3, 'unauthenticated'));
  });

  it('refuses an answer one byte over the limit', async () => {
    const { address } = await open();
    const { write, next } = await openRaw(address);
    const letters = maximumBodyBytes - JSON.stringify({ text: '' }).length;
    write(callLine(1, 'grow', { letters }));
    expect(Object.keys((await next()) as object)).toEqual(['id', 'output']);
    write(callLine(2, 'grow', { letters: letters + 1 }));
    const { id, problem } = (await next()) as { id: number; problem?: { code: string } };
    expect([id, problem?.code]).toEqual([2, 'body-too-large']);
  });

  it('is closed when its answers are not read', async () => {
    const { address, link } = await open();
    const { write, status } = await openRaw(address);
    write('\n');
    await status;
    const id = randomUUID();
    write(callLine(1, 'hold', { id }));
    for (let call = 2; call < 50; call++) write(callLine(call, 'grow', { letters: 4 * 1024 * 1024 }));
    await callee.hanging.told(id);
    expect(await clientOver(link()).echo({ text: 'other' })).toEqual({ text: 'other' });
  });
});
