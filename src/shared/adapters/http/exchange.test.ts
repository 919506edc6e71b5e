import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { callee } from '../../kernel/calls/sample.cases.ts';
import { currentContext, type Principal, runInContext } from '../../kernel/context/index.ts';
import { type Callee, type CalleeOptions, callLine, clientOver, openCallee, openRaw, tokens } from './http.cases.ts';

const opened: Callee[] = [];
const open = async (parts?: CalleeOptions) => {
  const one = await openCallee(parts);
  opened.push(one);
  return one;
};
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const problem = (id: number, code: string) => ({ id, problem: expect.objectContaining({ code }) });
const x = { output: { text: 'x' } };
const echoX = (id: number, context?: object) => callLine(id, 'echo', { text: 'x' }, context);

it('an exchange is opened outside every request, because it outlives its first call', async () => {
  const one = await open();
  const openedIn: unknown[] = [];
  const issue = tokens.issue.bind(tokens);
  const spy = vi.spyOn(tokens, 'issue').mockImplementation((...given) => {
    openedIn.push(currentContext());
    return issue(...given);
  });
  const { echo } = clientOver(one.link());
  const request = { requestId: 'r1', caller: 'gateway', deadline: Date.now() + 10_000 };
  for (const text of ['x', 'y'.repeat(100_000)])
    expect(await runInContext(request, () => echo({ text }))).toEqual({ text });
  expect(openedIn).toEqual([undefined, undefined]);
  spy.mockRestore();
});

describe('an exchange of a foreign program', () => {
  it('may be sent at once, with or without a final line break, and ends with the last answer', async () => {
    const { address } = await open();
    for (const body of [echoX(1) + echoX(2), (echoX(1) + echoX(2)).trim()]) {
      const answer = await fetch(`${address}/modules/sample`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${await tokens.issue('other', 'sample')}` },
      });
      const lines = (await answer.text()).trim().split('\n');
      const answers = lines.map((line) => JSON.parse(line)).sort((a, b) => a.id - b.id);
      expect(answers).toEqual([
        { id: 1, ...x },
        { id: 2, ...x },
      ]);
    }
    const { end, next } = await openRaw(address);
    end();
    expect(await next()).toBe(undefined);
  });

  it('may stay open: answers each line as it arrives, in any fragments, until its end', async () => {
    const { address } = await open();
    const { write, next, end } = await openRaw(address);
    write(echoX(1));
    expect(await next()).toEqual({ id: 1, ...x });
    const line = echoX(2);
    write(line.slice(0, 20));
    write(line.slice(20));
    expect(await next()).toEqual({ id: 2, ...x });
    callee.gate.shut();
    end(callLine(3, 'when', {}));
    callee.gate.open();
    expect([await next(), await next()]).toEqual([{ id: 3, output: {} }, undefined]);
  });

  it('answers each line separately: an invalid call does not affect others', async () => {
    const { address } = await open();
    const { write, next } = await openRaw(address);
    write(echoX(1, { requestId: 7 }));
    write('{"id":2}\n');
    write(callLine(3, 'gone', {}));
    write(echoX(4, { member: 'forged' }));
    const answers = [await next(), await next(), await next(), await next()] as { id: number }[];
    expect(answers.sort((a, b) => a.id - b.id)).toEqual([
      problem(1, 'invalid-input'),
      problem(2, 'invalid-input'),
      problem(3, 'not-found'),
      problem(4, 'unauthenticated'),
    ]);
    write(echoX(5));
    expect(await next()).toEqual({ id: 5, ...x });
  });

  it('answers an empty line with an empty line', async () => {
    const { address } = await open();
    const { write, next } = await openRaw(address);
    write('\n');
    expect(await next()).toBe('');
    write(`\n${echoX(1)}`);
    expect([await next(), await next()]).toEqual(['', { id: 1, ...x }]);
  });

  it('cancels only the call named in a cancel line', async () => {
    const { address } = await open();
    const { write, next } = await openRaw(address);
    const [id, other] = [randomUUID(), randomUUID()];
    write(callLine(1, 'hold', { id }) + callLine(2, 'hold', { id: other }));
    await callee.hanging.begun(id);
    write('{"id":7,"cancel":true}\n{"id":1,"cancel":true}\n');
    await callee.hanging.told(id);
    expect(await next()).toEqual(problem(1, 'cancelled'));
    write(echoX(3));
    expect(await next()).toEqual({ id: 3, ...x });
    write('{"id":2,"cancel":true}\n');
    expect(await next()).toEqual(problem(2, 'cancelled'));
  });

  it('cancels the calls of a caller that disconnects', async () => {
    const { address } = await open();
    const { write, destroy } = await openRaw(address);
    const ids = [randomUUID(), randomUUID()];
    write(ids.map((id, n) => callLine(n, 'hold', { id })).join(''));
    await Promise.all(ids.map((id) => callee.hanging.begun(id)));
    destroy();
    await callee.hanging.none();
  });

  it('announces a leaving process to current and new callers, and serves their calls', async () => {
    const { address, leave } = await open();
    const { write, next } = await openRaw(address);
    write(echoX(1));
    expect(await next()).toEqual({ id: 1, ...x });
    leave();
    expect(await next()).toEqual({ leaving: true });
    write(echoX(2));
    expect(await next()).toEqual({ id: 2, ...x });
    const late = await openRaw(address);
    expect(await late.next()).toEqual({ leaving: true });
    late.end(echoX(3));
    expect([await late.next(), await late.next()]).toEqual([{ id: 3, ...x }, undefined]);
  });
});

/** Service tokens whose verification of a member waits for the test. */
class SlowTokens extends ServiceTokens {
  readonly asked = Promise.withResolvers<void>();
  readonly answer = Promise.withResolvers<Principal>();

  constructor() {
    super(fixedKeyRing('TEST', 'a secret of more than 32 characters'));
  }

  override vouchedFor(): Promise<Principal> {
    this.asked.resolve();
    return this.answer.promise;
  }
}

describe('a call during the verification of its member', () => {
  it('can be cancelled by a cancel line', async () => {
    const slow = new SlowTokens();
    const { address } = await open({ tokens: slow });
    const { write, next } = await openRaw(address);
    const id = randomUUID();
    write(`${callLine(1, 'hold', { id }, { member: 'm' })}{"id":1,"cancel":true}\n\n`);
    expect(await next()).toBe('');
    slow.answer.resolve({ member: 'm' });
    expect(await next()).toEqual(problem(1, 'cancelled'));
    await callee.hanging.none();
  });

  it('is cancelled when its caller disconnects', async () => {
    const slow = new SlowTokens();
    const { address, server } = await open({ tokens: slow });
    const gone = new Promise((resolve) => {
      server.once('request', (_, response) => response.once('close', resolve));
    });
    const { write, destroy } = await openRaw(address);
    const { times } = callee.added;
    write(callLine(1, 'hold', { id: randomUUID() }, { member: 'm' }) + callLine(2, 'add', { n: 1 }, { member: 'm' }));
    await slow.asked.promise;
    destroy();
    await gone;
    slow.answer.resolve({ member: 'm' });
    await new Promise(setImmediate);
    await callee.hanging.none();
    expect(callee.added.times).toBe(times);
  });
});
