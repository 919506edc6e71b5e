import { Hono, type MiddlewareHandler } from 'hono';
import { beforeEach, expect, it } from 'vitest';
import { nested } from './nested.ts';

/** The handlers that ran, in order. */
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

it('runs each handler inside the previous one, and then the route', async () => {
  expect(await answerOf(passes('first'), passes('second'))).toBe('served');
  expect(asked).toEqual(['first', 'second']);
});

it('returns the first answer, and skips later handlers', async () => {
  expect(await answerOf(passes('first'), answers, passes('last'))).toBe('refused');
  expect(asked).toEqual(['first']);
});

it('passes errors to the application', async () => {
  expect(await answerOf(passes('first'), fails)).toBe('failed: no');
});
