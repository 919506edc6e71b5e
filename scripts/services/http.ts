import type { Kind } from './kind.ts';

/** A server is ready when it answers this request over HTTP with status 200. A request with a body is a POST of JSON. */
export function readyOverHttp(path: string, body?: string): Pick<Kind, 'hello' | 'answer'> {
  const content = body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const head = `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${content}`;
  return {
    hello: Buffer.from(`${head}\r\n${body ?? ''}`),
    answer: (heard) => heard.toString('latin1').startsWith('HTTP/1.1 200'),
  };
}
