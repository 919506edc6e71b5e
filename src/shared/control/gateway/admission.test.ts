import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { Hono } from 'hono';
import { describe, expect, it, vi } from 'vitest';
import { runInContext, turn } from '../../kernel/context/index.ts';
import { admission } from './admission.ts';

/** Creates a gateway that works on two requests at once while it is busy. The test decides when it answers each request. */
function open() {
  const state = { busy: true };
  const answers: (() => void)[] = [];
  const answer = async (count: number) => {
    await vi.waitFor(() => expect(answers).toHaveLength(count));
    for (const each of answers.splice(0)) each();
  };
  const app = new Hono();
  app.use(admission(() => state.busy, 2));
  app.get('/', async (c) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return c.text('done');
  });
  const ask = async () => {
    const { status, headers } = await app.request('/');
    return { status, retryAfter: headers.get('retry-after') };
  };
  return { state, answer, ask };
}

it('refuses requests above its limit immediately while it is busy, and says when to retry', async () => {
  const { answer, ask } = open();
  const taken = [ask(), ask()];
  expect(await ask()).toEqual({ status: 503, retryAfter: '1' });
  await answer(2);
  expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200]);
});

it('accepts more when it is not busy, and again after earlier requests are answered', async () => {
  const { state, answer, ask } = open();
  state.busy = false;
  const taken = [ask(), ask(), ask()];
  state.busy = true;
  expect((await ask()).status).toBe(503);
  await answer(3);
  await Promise.all(taken);
  const next = ask();
  await answer(1);
  expect((await next).status).toBe(200);
});

describe('the span of a request', () => {
  /** Serves a request in a trace, in a turn of the event loop that is used up when `isFull`. Returns what its span tells. */
  async function spanOf(isFull: boolean, { traceFlags = 1, most = 1 } = {}) {
    const app = new Hono();
    app.use(admission(() => true, most));
    app.get('/', (c) => c.text('done'));
    const attributes: Record<string, unknown> = {};
    const events: string[] = [];
    const span = Object.assign(trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags }), {
      setAttribute: (name: string, value: unknown) => Object.assign(attributes, { [name]: value }),
      addEvent: (name: string) => events.push(name),
    });
    const context = { requestId: 'r', caller: 'gateway', deadline: 0, trace: trace.setSpan(ROOT_CONTEXT, span) };
    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    // A turn begins with its first task.
    await new Promise((resolve) => setImmediate(resolve));
    void turn();
    if (isFull) now += 10;
    const answering = runInContext(context, async () => app.request('/'));
    now += 7;
    const { status } = await answering;
    vi.restoreAllMocks();
    return { status, attributes, events };
  }

  it('tells how long the request waited for its turn', async () => {
    const { attributes } = await spanOf(true);
    expect(attributes).toEqual({ 'kerf.admission.queue_ms': 7 });
  });

  it('tells nothing of a request that did not wait, or whose trace is not sampled', async () => {
    expect([await spanOf(false), await spanOf(true, { traceFlags: 0 })]).toEqual([
      { status: 200, attributes: {}, events: [] },
      { status: 200, attributes: {}, events: [] },
    ]);
  });

  it('tells that a busy gateway refused the request', async () => {
    // Its answer fails the span, so that also a trace that is not sampled is kept.
    for (const traceFlags of [0, 1])
      expect(await spanOf(false, { most: 0, traceFlags })).toEqual({
        ...{ status: 503, attributes: {}, events: ['refused at admission'] },
      });
  });
});
