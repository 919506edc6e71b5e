import { describe, expect, it } from 'vitest';
import { StartError } from '../errors/index.ts';
import { type Placement, parsePlacement, placementText, transportOf } from './placement.ts';

const where = 'MODULE_PAYMENTS';
const read = (text: string) => parsePlacement(text, where);
const broker = (url: string): Placement => ({ kind: 'broker', url });

describe('a placement', () => {
  it.each<[string, Placement, 'http' | 'grpc' | 'queue']>([
    ['in-process', { kind: 'in-process' }, 'http'],
    ['http', { kind: 'service', via: 'http', instances: 1 }, 'http'],
    ['grpc', { kind: 'service', via: 'grpc', instances: 1 }, 'grpc'],
    ['queue', { kind: 'service', via: 'queue', instances: 1 }, 'queue'],
    ['http?instances=3', { kind: 'service', via: 'http', instances: 3 }, 'http'],
    ['grpc?instances=64', { kind: 'service', via: 'grpc', instances: 64 }, 'grpc'],
    ['http://127.0.0.1:4101', { kind: 'addresses', addresses: ['http://127.0.0.1:4101'] }, 'http'],
    ['grpcs://payments:4102', { kind: 'addresses', addresses: ['grpcs://payments:4102'] }, 'grpc'],
    ['http://a:1,https://[fd00::7]:2', { kind: 'addresses', addresses: ['http://a:1', 'https://[fd00::7]:2'] }, 'http'],
    [
      'http+dns://payments:4101',
      { kind: 'name', dns: { kind: 'a', protocol: 'http', name: 'payments', port: 4101 }, server: undefined },
      'http',
    ],
    [
      'grpcs+dns://payments:80?server=127.0.0.1:8600',
      { kind: 'name', dns: { kind: 'a', protocol: 'grpcs', name: 'payments', port: 80 }, server: '127.0.0.1:8600' },
      'grpc',
    ],
    [
      'https+srv://_payments._tcp.example.com?server=[::1]:53',
      { kind: 'name', dns: { kind: 'srv', protocol: 'https', name: '_payments._tcp.example.com' }, server: '[::1]:53' },
      'http',
    ],
    [
      'http+srv://_payments._tcp.example.com',
      { kind: 'name', dns: { kind: 'srv', protocol: 'http', name: '_payments._tcp.example.com' }, server: undefined },
      'http',
    ],
    ['file:payments.addresses', { kind: 'file', file: 'payments.addresses' }, 'http'],
    ['amqp://broker', broker('amqp://broker'), 'queue'],
    ['nats://127.0.0.1:4222?namespace=shop', broker('nats://127.0.0.1:4222?namespace=shop'), 'queue'],
  ])('%s is read, shown as it was written, and has its transport', (text, placement, transport) => {
    expect(read(text)).toEqual(placement);
    expect(placementText(placement)).toBe(text);
    expect(transportOf(placement)).toBe(transport);
  });

  it('is read from every example that is given to who wrote none', () => {
    const examples = messageOf('nonsense').split('; write ')[1]!;
    const texts = examples.match(/(in-process|http|grpc|queue|file|amqp)[^\s,]*/g)!;
    expect(texts.length).toBeGreaterThan(9);
    for (const text of texts) expect([text, placementText(read(text))]).toEqual([text, text]);
  });

  it('has each of its addresses once, in one spelling', () => {
    expect(read('http://A:80/, http://a,http://a')).toEqual({ kind: 'addresses', addresses: ['http://a'] });
  });
});

describe('what is no placement', () => {
  it.each([
    '',
    'nowhere',
    'In-process',
    'http?instances=0',
    'http?instances=65',
    'http?instances=3&x=1',
    'in-process?instances=2',
    'in-process,http',
    'http,http',
    'file:',
    'ftp://a:1',
    'payments:4101',
    'http://',
    'http://a:99999',
    'http://a/path',
    'http://a?x=1',
    'http://me@a',
    'grpc://payments',
    'http://a:1,',
    'http://a:1,grpc://a:2',
    'grpc://a:2,https://a:1',
    'http+dns://payments',
    'http+srv://payments:4101',
    'http+dns://payments:4101/path',
    'http+dns://payments:4101#x',
    'http+dns://payments:4101?sever=127.0.0.1:53',
    'http+dns://payments:4101?server=ns.example.com',
    'http+dns://:secret@payments:4101',
    'amqp+dns://payments:4101',
    'kafka://127.0.0.1:9092',
    'amqp://a,b',
    'amqp://a?partitions=x',
  ])('"%s" is refused, with where it stands and what to write', (text) => {
    expect(() => read(text)).toThrow(StartError);
    expect(messageOf(text)).toMatch(/^MODULE_PAYMENTS: ".*" is not a placement; write in-process, http, /);
  });

  it('says that addresses are of one kind', () => {
    expect(messageOf('http://a:1,grpc://a:2')).toContain('several of one kind with commas');
  });

  it.each([
    'kafka://user:secret@broker',
    'amqp://user:secret@broker,other',
    'amqp://user:se/secret@broker?x=1',
    'amqp://user:at@secret@broker?x=1',
    'amqp:user:secret@broker',
    'user:secret@broker',
    'secret@broker',
    'http://a:1,http://user:secret@b:1,http://c:secret@d',
    'http+dns://user:secret@payments:4101',
    'http+dns://:secret@payments:4101',
  ])('does not show the password of %s', (text) => {
    expect(messageOf(text)).not.toContain('secret');
  });

  it('is not needed for a password not to be shown', () => {
    expect(placementText(read('amqp://user:secret@broker:5671?namespace=shop'))).toBe(
      'amqp://broker:5671?namespace=shop',
    );
    expect(placementText(read('nats://secret@broker/a@b'))).toBe('nats://broker/a@b');
  });
});

function messageOf(text: string): string {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${text} was taken`);
}
