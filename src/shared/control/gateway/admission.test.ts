import { Hono } from 'hono';
import { expect, it, vi } from 'vitest';
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
