const withinMs = 5_000;
const maxBytes = 256 * 1024;

/** Says in one line, for the log, why the identity provider is not believed or cannot be asked. */
export class ProviderError extends Error {}

/**
 * Fetches a JSON document of an identity provider. Follows no redirect, takes at most 256 KiB, and waits at most five seconds, for the
 * whole answer. Rejects with a `ProviderError` that names the address and the reason.
 */
export async function fetchDocument(url: string, timeoutMs = withinMs): Promise<unknown> {
  const text = await textAt(url, timeoutMs).catch((error: unknown) => {
    throw error instanceof ProviderError ? error : new ProviderError(`${url} ${whyNot(error, timeoutMs)}`);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new ProviderError(`${url} answers no JSON`);
  }
}

async function textAt(url: string, timeoutMs: number): Promise<string> {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url, { redirect: 'manual', headers: { accept: 'application/json' }, signal });
    if (response.status >= 300 && response.status < 400)
      throw new ProviderError(
        `${url} answers ${response.status}, a redirect, which is not followed; correct OIDC_ISSUER`,
      );
    if (response.status !== 200) throw new ProviderError(`${url} answers ${response.status}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new ProviderError(`${url} answers more than ${maxBytes / 1024} KiB`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    // Ends the transfer of an answer that was not read to its end.
    abort.abort();
  }
}

function whyNot(error: unknown, timeoutMs: number): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `has not answered in ${timeoutMs / 1_000} s`;
  const { code, message: inner } = (cause ?? {}) as { code?: string; message?: string };
  return `cannot be reached (${code ?? inner ?? message})`;
}
