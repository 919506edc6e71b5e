import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/** Returns the default headers of every answer. An answer may override them. Asks Hono only once, because they never change. */
export async function headersOfAll(): Promise<Map<string, string>> {
  const app = new Hono();
  app.use(
    secureHeaders({ xFrameOptions: 'DENY', referrerPolicy: 'no-referrer', crossOriginResourcePolicy: 'same-origin' }),
  );
  app.get('/', (c) => c.body(null));
  const { headers } = await app.request('/');
  // An answer to a request with a token, or an answer that contains a token, is private to one person.
  return new Map([...headers, ['cache-control', 'no-store']]);
}
