import { expect, it } from 'vitest';
import type { Kerf } from '../../harness/kerf.ts';
import { badText, mismatches, type Writing, withField, writing } from './endpoints.ts';
import { send } from './raw.ts';
import { expectRefused, type Refused } from './refused.ts';

interface Surroundings {
  kerf: Kerf;
  /** A member's bearer token. */
  token: string;
}

const mebibyte = 1024 * 1024;
const invalid = '422 invalid-input';
const malformed = '400 malformed-body';

export function bodyCases(around: Surroundings): void {
  const everywhere = (make: (endpoint: Writing) => Omit<Refused, 'method' | 'path'>[]) => () =>
    expectRefused(
      around.kerf,
      writing.flatMap((endpoint) =>
        make(endpoint).map((each) => ({
          ...each,
          method: 'POST',
          path: endpoint.path,
          headers: { ...json, ...(endpoint.member && { authorization: `Bearer ${around.token}` }), ...each.headers },
        })),
      ),
    );

  it('refuses values of the wrong type in every field', everywhere(wrongValues));
  it('refuses text that a database cannot store', everywhere(unstorableText));
  it('refuses missing and unknown fields', everywhere(wrongFields));
  it('refuses bodies that are not JSON or not an object', everywhere(noObjects));
  it('refuses bodies that are too deeply nested, too long or too large', everywhere(excessive));
  it('refuses orders without lines, with too many lines or too large quantities', () =>
    expectRefused(around.kerf, wrongOrders(around.token)));
  it('accepts every Unicode character', () => acceptsLetters(around));
}

const json = { 'content-type': 'application/json' };

function wrongValues({ body }: Writing) {
  return mismatches.flatMap(([about, value]) =>
    withField(body(), value).map(([path, wrong]) => ({
      about: `${path} is ${about}`,
      body: JSON.stringify(wrong),
      with: invalid,
    })),
  );
}

/** Returns bodies with text that no field may contain. A password may contain it: Kerf stores only its hash. */
function unstorableText({ body }: Writing) {
  return badText.flatMap(([about, value]) =>
    withField(body(), value)
      .filter(([path]) => path !== 'password')
      .map(([path, wrong]) => ({ about: `${path} has ${about}`, body: JSON.stringify(wrong), with: invalid })),
  );
}

function wrongFields({ body }: Writing) {
  const fits = body();
  const text = JSON.stringify(fits).slice(1);
  const extra = (field: string) => ({ about: `an extra ${field}`, body: `{${field},${text}`, with: invalid });
  const missing = Object.keys(fits)
    .filter((name) => name !== 'phone')
    .map((name) => ({
      about: `no ${name}`,
      body: JSON.stringify({ ...fits, [name]: undefined }),
      with: invalid,
    }));
  return [
    ...missing,
    extra('"surprise":1'),
    extra('"memberId":"00000000-0000-7000-8000-000000000000"'),
    extra('"constructor":{"prototype":{"admin":true}}'),
    extra('"__proto__":{"admin":true}'),
    extra('"toString":null'),
    extra(`"${'long'.repeat(10_000)}":1`),
  ];
}

function noObjects({ body }: Writing) {
  const fits = JSON.stringify(body());
  const as = (type: string) => ({ 'content-type': type });
  return [
    { about: 'an empty body', body: '', with: malformed },
    { about: 'blanks', body: ' \n ', with: malformed },
    { about: 'truncated JSON', body: fits.slice(0, -1), with: malformed },
    { about: 'two bodies', body: fits + fits, with: malformed },
    { about: 'single quotes', body: "{'a':1}", with: malformed },
    { about: 'not a number', body: '{"a":NaN}', with: malformed },
    { about: 'bytes that are no text', body: Buffer.from([0xff, 0xfe, 0x00, 0x80]), with: malformed },
    { about: 'plain text', body: fits, headers: as('text/plain'), with: malformed },
    { about: 'a form', body: 'a=1', headers: as('application/x-www-form-urlencoded'), with: malformed },
    { about: 'a multipart form', body: fits, headers: as('multipart/form-data; boundary=x'), with: malformed },
    { about: 'a type that only looks like JSON', body: fits, headers: as('application/jsonp'), with: malformed },
    ...['null', 'true', '1', '"text"', '[]', '[{}]', '1e999'].map((text) => ({
      about: text,
      body: text,
      with: invalid,
    })),
  ];
}

function excessive({ body }: Writing) {
  const deep = 100_000;
  const [field, ...rest] = Object.keys(body());
  const others = JSON.stringify(Object.fromEntries(rest.map((name) => [name, body()[name]]))).slice(1, -1);
  const holding = (value: string) => `{${[`"${field}":${value}`, others].filter(Boolean).join(',')}}`;
  const padded = JSON.stringify(body()).padEnd(mebibyte + 1);
  return [
    { about: 'a deep list', body: '['.repeat(deep) + ']'.repeat(deep), with: invalid },
    { about: 'a deep object', body: '{"a":'.repeat(deep) + 1 + '}'.repeat(deep), with: invalid },
    { about: 'a deep field', body: holding('['.repeat(deep) + ']'.repeat(deep)), with: invalid },
    { about: 'a deep list without an end', body: '['.repeat(deep), with: malformed },
    { about: '100,000 fields', body: holding(`{${keys(100_000)}}`), with: invalid },
    { about: 'nearly 1 MiB of text', body: holding(`"${'x'.repeat(mebibyte - 500)}"`), with: invalid },
    { about: 'a body over 1 MiB', body: padded, with: '413 body-too-large' },
    { about: 'a body over 4 MiB', body: padded.repeat(4), with: '413 body-too-large' },
    {
      about: 'a body over 1 MiB in chunks',
      body: padded,
      headers: { 'transfer-encoding': 'chunked' },
      with: '413 body-too-large',
    },
    {
      about: 'truncated JSON in chunks',
      body: '{"a":',
      headers: { 'transfer-encoding': 'chunked' },
      with: malformed,
    },
  ];
}

function keys(count: number): string {
  return Array.from({ length: count }, (_, index) => `"${index}":0`).join(',');
}

function wrongOrders(token: string): Refused[] {
  const line = { sku: 'WAX', quantity: 1 };
  const order = (about: string, lines: unknown, headers = {}): Refused => ({
    about,
    method: 'POST',
    path: '/orders',
    headers: { ...json, authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ lines, payment: { token: 'tok_ok' } }),
    with: invalid,
  });
  return [
    order('no lines', []),
    order('101 lines', Array(101).fill(line)),
    order('10,000 lines', Array(10_000).fill(line)),
    order('1,001 of a product', [{ ...line, quantity: 1_001 }]),
    order('1,200 of a product on two lines', [
      { ...line, quantity: 600 },
      { ...line, quantity: 600 },
    ]),
    order('an unknown field in a line', [{ ...line, price: { amount: 1, currency: 'KRW' } }]),
    order('an unknown product', [{ sku: 'NO-SUCH', quantity: 1 }]),
    order('a product that can be none', [{ sku: '../../etc/passwd', quantity: 1 }]),
    order('emoji for a product', [{ sku: '🪚', quantity: 1 }]),
    order('__proto__ for a product', [{ sku: '__proto__', quantity: 1 }]),
    order('a key of 201 letters', [line], { 'idempotency-key': 'k'.repeat(201) }),
  ];
}

async function acceptsLetters({ kerf, token }: Surroundings): Promise<void> {
  const title = '🪚 👩‍👩‍👧 e\u0301 日本語 עברית \u202e';
  const body = 'line\r\nline\tend\n\\u0000 <script>alert(1)</script> \u2028';
  const headers = { ...json, authorization: `Bearer ${token}` };
  const written = await send(kerf.url, {
    method: 'POST',
    path: '/posts',
    headers,
    body: JSON.stringify({ title, body }),
  });
  expect(written.status).toBe(201);
  const { id } = JSON.parse(written.text);
  const read = await send(kerf.url, { method: 'GET', path: `/posts/${id}` });
  expect(JSON.parse(read.text)).toMatchObject({ title, body });
}
