import type { IncomingMessage } from 'node:http';

/** Headers that Kerf reads and that have one value by definition. */
const single = new Set(['authorization', 'content-type', 'host', 'idempotency-key']);

/**
 * Returns why two readers of the request, such as a proxy and this process, may understand it differently. Returns undefined when
 * the request is clear. Node drops or joins duplicate headers. `alsoSingle` names more headers with one value, in lower case.
 */
export function whyAmbiguous(
  { headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  alsoSingle: readonly string[] = [],
): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!single.has(name) && !name.startsWith('kerf-') && !alsoSingle.includes(name)) continue;
    if (seen.has(name)) return `it has more than one ${name}; send one`;
    seen.add(name);
  }
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'chunked')
    return 'its transfer-encoding is not just "chunked"; send the body as it is';
  return undefined;
}
