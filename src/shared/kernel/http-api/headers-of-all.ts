import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/** The headers that every answer begins with; an answer may have its own in their place. Hono is asked once: they are always the same. */
export async function headersOfAll(): Promise<Map<string, string>> {
  const app = new Hono();
  app.use(
    secureHeaders({ xFrameOptions: 'DENY', referrerPolicy: 'no-referrer', crossOriginResourcePolicy: 'same-origin' }),
  );
  app.get('/', (c) => c.body(null));
  const { headers } = await app.request('/');
  // What is asked with a token, or gives one, is for one person only.
  return new Map([...headers, ['cache-control', 'no-store']]);
}
