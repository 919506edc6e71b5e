import { describe, expect, it } from 'vitest';
import { Masking } from './masking.ts';

const masking = new Masking();

it.each([
  ['mail to ada.lovelace+kerf@mail.example.co.uk failed', 'mail to [email] failed'],
  ['550 <ada@example.com>: unknown', '550 <[email]>: unknown'],
  ['/members/ada%40example.com/orders', '/members/[email]/orders'],
  ['"ada lovelace"@example.com', '[email]'],
  ['김@예제.한국, jürgen@müller.de', '[email], [email]'],
  ['call +49 (151) 123-45678 now', 'call [phone] now'],
  ['to=%2B4915112345678', 'to=[phone]'],
  ['+14155550132', '[phone]'],
  ['0049 151 12345678', '[phone]'],
  ['(415) 555-0132 or 415-555-0132', '[phone] or [phone]'],
  ['to 010-1234-5678, 010 1234 5678 or 01012345678.', 'to [phone], [phone] or [phone].'],
  ['82 10 1234 5678', '[phone]'],
  ['821012345678', '[phone]'],
  ['amqp://kerf:s3cret@broker:5672', 'amqp://[hidden]@broker:5672'],
  ['nats://s3cret@broker:4222', 'nats://[hidden]@broker:4222'],
  ['Authorization: Bearer abc.def-123', 'Authorization: [hidden] [hidden]'],
  ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln', '[hidden]'],
  ['/reset?token=abc&next=1', '/reset?token=[hidden]&next=1'],
  ['{"password":"correct horse","name":"Ada"}', '{"password":"[hidden]","name":"Ada"}'],
])('%s is masked', (text, masked) => {
  expect(masking.text(text)).toBe(masked);
});

it.each([
  '2026-11-30T23:48:16.123+02:00',
  '019ae1c2-3456-7890-abcd-001234567890',
  '127.0.0.1:49152 and [::1]:3001',
  'at handle (file:///srv/kerf/dist/app.js:100:20055512)',
  '/srv/node_modules/.pnpm/pino@10.4.0/node_modules/pino',
  'took 1234567890123 ms, 1e+10, +5 %, 1.000.000 events',
  'ABC-123-4567',
  '2026-11-30 23:48:16 and 30-11-2026',
  'at 1764546496123 by 10.0.0.7:41051 and 192.168.100.100',
])('%s stays', (text) => {
  expect(masking.text(text)).toBe(text);
});

it('hides secrets by their value, also percent-encoded', () => {
  const own = new Masking();
  own.hide('a/secret value', 'short', '');
  expect(own.text('got "a/secret value", a%2Fsecret%20value and short')).toBe('got "[hidden]", [hidden] and short');
});

it('hides fields by their name, at every depth', () => {
  const given = { passwordHash: 1, nested: [{ 'x-api-key': { a: 1 }, sessionToken: 'x', name: 'ada@example.com' }] };
  expect(masking.value(given)).toEqual({
    passwordHash: '[hidden]',
    nested: [{ 'x-api-key': '[hidden]', sessionToken: '[hidden]', name: '[email]' }],
  });
  expect(masking.value(new Map([['ada@example.com', 'x']]))).toEqual([['[email]', 'x']]);
  expect(masking.value({ 'ada@example.com': 1 })).toEqual({ '[email]': 1 });
});

it('hides entries of maps and of headers by their name', () => {
  const given = {
    map: new Map<string, unknown>([
      ['apiKey', { a: 1 }],
      ['name', 'Ada'],
    ]),
    list: [['authorization', 'x']],
  };
  expect(masking.value(given)).toEqual({
    map: [
      ['apiKey', '[hidden]'],
      ['name', 'Ada'],
    ],
    list: [['authorization', '[hidden]']],
  });
});

it('copies no more than a bounded part of a value', () => {
  const list = Array.from({ length: 1_000_000 }, (_, index) => index);
  expect(masking.value(list)).toEqual([...list.slice(0, 50), '[999950 more]']);
  const wide = Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => ({ a: 1 })));
  expect(JSON.stringify(masking.value(wide)).length).toBeLessThan(10_000);
  expect(masking.value({ a: { b: { c: { d: { e: { f: 1 } } } } } })).toEqual({
    a: { b: { c: { d: { e: '[too deep]' } } } },
  });
  const long = Array.from({ length: 50 }, () => 'x'.repeat(4_000));
  expect(JSON.stringify(masking.value(long)).length).toBeLessThan(17_000);
  expect(masking.value(new Uint8Array(10))).toBe('[10 bytes]');
  expect(masking.text('x'.repeat(10_000_000))).toHaveLength(4_001);
});

it('leaves no part of what a cut divides', () => {
  for (let before = 3_900; before < 4_010; before++) {
    const text = masking.text(`${' '.repeat(before)}ada.lovelace@example.com${' '.repeat(5_000)}`);
    expect(text.replace('[email]', '').trim()).toMatch(/^(\[?e?m?a?i?l?)?…$/);
  }
});

describe('a text that is made to be slow', () => {
  const texts = [
    '@',
    'a',
    'a.',
    '+1 ',
    '+1-',
    'eyJ',
    'eyJa.',
    'token ',
    'token:',
    'a://',
    'a://:',
    '"',
    'a@a.',
    '555-',
  ];
  it.each(texts)('of many "%s" takes a time in proportion to its length, so that this test ends', (part) => {
    expect(masking.text(part.repeat(300_000), 300_000).length).toBeLessThanOrEqual(300_001);
  });
});
