import { Hono, type MiddlewareHandler } from 'hono';
import { beforeEach, expect, it } from 'vitest';
import { nested } from './nested.ts';

/** The handlers that were asked, in order. */
let asked: string[];
beforeEach(() => {
  asked = [];
});

const passes =
  (name: string): MiddlewareHandler =>
  (_, next) => {
    asked.push(name);
    return next();
  };
const answers: MiddlewareHandler = async (c) => c.text('refused', 403);
const fails: MiddlewareHandler = () => Promise.reject(new Error('no'));

async function answerOf(...handlers: MiddlewareHandler[]): Promise<string> {
  const app = new Hono();
  app.use(nested(...handlers));
  app.get('/', (c) => c.text('served'));
  app.onError((error, c) => c.text(`failed: ${error.message}`, 500));
  return (await app.request('/')).text();
}

it('asks each handler inside the one before, and then whatever serves the request', async () => {
  expect(await answerOf(passes('first'), passes('second'))).toBe('served');
  expect(asked).toEqual(['first', 'second']);
});

it('answers with the first answer, and asks nobody after it', async () => {
  expect(await answerOf(passes('first'), answers, passes('last'))).toBe('refused');
  expect(asked).toEqual(['first']);
});

it('leaves errors to the application', async () => {
  expect(await answerOf(passes('first'), fails)).toBe('failed: no');
});
