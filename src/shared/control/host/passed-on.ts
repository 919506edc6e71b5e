import { isUtf8 } from 'node:buffer';
import type { PassedBack, PassedOn } from '../../kernel/calls/index.ts';

/** Returns the request that another process has passed on. */
export function fromPassedOn({ method, path, headers, body, encoding }: PassedOn, stream?: ReadableStream): Request {
  const given = stream ?? (encoding === 'base64' ? Buffer.from(body, 'base64') : body);
  const init = { method, headers, body: method === 'GET' ? null : given, ...(stream && { duplex: 'half' }) };
  return new Request(`http://kerf${path}`, init as RequestInit);
}

/** Returns the answer as it travels. Bytes that are no text travel in base64. */
export async function toPassedBack(response: Response): Promise<PassedBack> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const head = { status: response.status, headers: Object.fromEntries(response.headers) };
  return isUtf8(bytes)
    ? { ...head, body: bytes.toString() }
    : { ...head, body: bytes.toString('base64'), encoding: 'base64' };
}
