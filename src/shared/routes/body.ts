import { refusal } from '../errors/index.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const jsonType = /^application\/([\w.+-]+\+)?json\s*(;|$)/i;

/** A request, or what Hono makes of it, which can be read more than once. */
interface WithBody {
  readonly headers: Headers;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The text of a body. Throws `malformed-body` where it is encoded in any way, or is no UTF-8. */
export async function textOf(request: WithBody): Promise<string> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity')
    throw refusal('malformed-body', 'the body must be sent as it is, without content-encoding');
  const bytes = await request.arrayBuffer();
  try {
    return utf8.decode(bytes);
  } catch {
    throw refusal('malformed-body', 'the body must be UTF-8');
  }
}

/** The JSON of a body. Throws `malformed-body` for anything else. */
export async function readJson(request: WithBody): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!jsonType.test(type))
    throw refusal('malformed-body', 'the body must be JSON, sent with content-type: application/json');
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type) ?? [];
  if (charset.toLowerCase() !== 'utf-8')
    throw refusal('malformed-body', 'the body must be UTF-8, and no other charset');
  const text = await textOf(request);
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('malformed-body', 'the body is not well-formed JSON');
  }
}
