import { refusal } from '../errors/index.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const jsonType = /^application\/([\w.+-]+\+)?json\s*(;|$)/i;

/** Matches one parameter of a content type. It may be empty after a semicolon. */
const parameter = /;\s*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~-]+)))?\s*/y;

/** A request, or Hono's wrapper of it. Hono's wrapper allows several reads of the body. */
interface WithBody {
  readonly headers: Headers;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Reads the text of a body. Throws `malformed-body` when the body has a content encoding, is not UTF-8, or declares another charset. */
export async function textOf(request: WithBody): Promise<string> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity')
    throw refusal('malformed-body', 'the body must be sent as it is, without content-encoding');
  if (!saysUtf8(request.headers.get('content-type') ?? ''))
    throw refusal('malformed-body', 'the body must be UTF-8, and its content-type must say no other charset');
  const bytes = await request.arrayBuffer();
  try {
    return utf8.decode(bytes);
  } catch {
    throw refusal('malformed-body', 'the body must be UTF-8');
  }
}

/**
 * Tells whether a content type declares UTF-8 or no charset. Returns false when it is malformed or has two charsets: another
 * reader may take another charset.
 */
function saysUtf8(type: string): boolean {
  const charsets: string[] = [];
  parameter.lastIndex = type.includes(';') ? type.indexOf(';') : type.length;
  while (parameter.lastIndex < type.length) {
    const found = parameter.exec(type);
    if (!found) return false;
    const [, name = '', quoted, plain] = found;
    // `charset*` and `charset*0` are other spellings of `charset` (RFC 2231).
    if (/^charset(\*|$)/i.test(name)) charsets.push(name.includes('*') ? name : (quoted ?? plain ?? ''));
  }
  return charsets.length <= 1 && charsets.every((charset) => charset.toLowerCase() === 'utf-8');
}

/** Reads the JSON of a body. Throws `malformed-body` for anything else. */
export async function readJson(request: WithBody): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!jsonType.test(type))
    throw refusal('malformed-body', 'the body must be JSON, sent with content-type: application/json');
  return jsonOf(await textOf(request));
}

/** Parses the text of a body as JSON. Throws `malformed-body` when it is not well-formed. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('malformed-body', 'the body is not well-formed JSON');
  }
}
