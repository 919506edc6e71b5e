import { describe, expect, it } from 'vitest';
import { adapters } from '../../../../test/harness/adapters.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { type Placement, parsePlacement, placementText, transportOf } from './placement.ts';

const where = 'MODULE_PAYMENTS';
const read = (text: string) => parsePlacement(text, where, adapters);
const broker = (url: string): Placement => ({ kind: 'broker', url });

describe('a placement', () => {
  it.each<[string, Placement, 'http' | 'grpc' | 'queue']>([
    ['in-process', { kind: 'in-process' }, 'http'],
    ['http', { kind: 'service', via: 'http', instances: 1 }, 'http'],
    ['grpc', { kind: 'service', via: 'grpc', instances: 1 }, 'grpc'],
    ['queue', { kind: 'service', via: 'queue', instances: 1 }, 'queue'],
    ['http?instances=3', { kind: 'service', via: 'http', instances: 3 }, 'http'],
    ['grpc?instances=64', { kind: 'service', via: 'grpc', instances: 64 }, 'grpc'],
    ['http?port=4105', { kind: 'service', via: 'http', instances: 1, port: 4105 }, 'http'],
    [
      'grpc?instances=2&artifact=/srv/dist new/app.js',
      { kind: 'service', via: 'grpc', instances: 2, artifact: '/srv/dist new/app.js' },
      'grpc',
    ],
    ['http?artifact=a%26b%2Bc%25.js', { kind: 'service', via: 'http', instances: 1, artifact: 'a&b+c%.js' }, 'http'],
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
    expect(transportOf(placement, adapters)).toBe(transport);
  });

  it('is read from every example that is given to who wrote none', () => {
    const examples = messageOf('nonsense').split('; write such as ')[1]!.replace(' (docs/placements.md)', '');
    const texts = examples.split(', ');
    expect(texts.length).toBeGreaterThan(9);
    for (const text of texts) expect([text, placementText(read(text))]).toEqual([text, text]);
  });

  it('has each of its addresses once, in one spelling', () => {
    const addresses = ['http://a:80', 'https://b:443'];
    expect(read('http://A:80/, http://a:080,http://a:80,https://B:443')).toEqual({ kind: 'addresses', addresses });
    expect(read('grpc://A:1,grpc://a:1/')).toEqual({ kind: 'addresses', addresses: ['grpc://a:1'] });
  });
});

describe('what is no placement', () => {
  it.each<[text: string, why: string]>([
    ['', 'nothing is written there'],
    ['nowhere', 'there is no such kind of placement'],
    ['In-process', 'it is written in-process, in small letters and without blanks'],
    ['http ', 'it is written http, in small letters and without blanks'],
    ['http?instances=0', 'instances is a whole number, 1 to 64, as in http?instances=3'],
    ['grpc?instances=65', 'instances is a whole number, 1 to 64, as in grpc?instances=3'],
    ['http?instances=', 'instances is a whole number, 1 to 64, as in http?instances=3'],
    ['http?', 'nothing stands behind the question mark'],
    ['http?instances=2&instances=3', 'instances is said more than once'],
    ['http?port=0', 'port is 1 to 65535, as in http?port=4105'],
    ['http?port=65536', 'port is 1 to 65535, as in http?port=4105'],
    ['http?port=4105&instances=2', 'one port is for one process: leave out port, or instances'],
    ['queue?port=4105', 'a module that is reached over a broker listens on no port of its own'],
    ['http?artifact=', 'artifact names no file'],
    ['http?artifact=a%00.js', 'artifact is no path: it has a NUL character'],
    ['http?instances=3&x=1', '"x" is unknown; known are instances, port, artifact'],
    ['in-process?instances=2', 'nothing follows in-process: there is one home process'],
    ['in-process,http', 'a list holds addresses only; several processes that the home process starts are http?insta'],
    ['http,http', 'a list holds addresses only; several processes that the home process starts are http?instances=3'],
    ['http://b:1,file:a', 'a list holds addresses only; a name, or a file, stands alone'],
    ['http+dns://a:1,http+dns://b:1', 'a list holds addresses only; a name, or a file, stands alone'],
    ['file:', 'the name of the file is missing'],
    ['ftp://a:1', '"ftp" is not a protocol that a module is called by; there are http, https, grpc, grpcs, amqp, '],
    ['HTTP://a:1', '"HTTP" is not a protocol that a module is called by; there are http, https, grpc, grpcs, amqp, '],
    ['amqp+dns://payments:4101', '"amqp+dns" is not a protocol that a module is called by; there are http, '],
    ['payments:4101', 'the protocol is missing: http://payments:4101, or grpc://payments:4101'],
    ['http:payments', 'two slashes follow the protocol and its colon'],
    ['http://', 'the host is missing, as in http://payments:4105'],
    ['http://:4105', 'the host is missing, as in http://payments:4105'],
    ['http://payments', 'the port is missing: write it, such as http://payments:4105'],
    ['http://payments:', 'the port is missing: write it, such as http://payments:4105'],
    ['https://[fd00::7]', 'the port is missing: write it, such as https://[fd00::7]:4105'],
    ['grpc://payments', 'the port is missing: write it, such as grpc://payments:4105'],
    ['http://a:99999', 'its port is a whole number, 1 to 65535'],
    ['http://a:0', 'its port is a whole number, 1 to 65535'],
    ['http://a:http', 'its port is a whole number, 1 to 65535'],
    ['http://a b:1', 'its host cannot be read'],
    ['http://a:1/path', 'an address ends with its port: leave out what follows http://a:1'],
    ['http://a:1?x=1', 'an address ends with its port: leave out what follows http://a:1'],
    ['http://me@a:1', 'there is no user and no password in an address: processes know each other by their keys'],
    ['http://a:1,', 'an address is missing beside a comma'],
    ['http://a:1,http://b', 'of http://b: the port is missing: write it, such as http://b:4105'],
    ['http://a:1,grpc://a:2', 'the addresses are by http and by grpc, and a module is called by one of them'],
    ['http://b:1,ftp://a:1', 'of ftp://a:1: "ftp" is not a protocol that a module is called by; there are http, '],
    ['http://b:1,kafka://a:1', 'of kafka://a:1: kafka:// carries events and no calls: it belongs into BUS'],
    ['ftp+dns://a:1', '"ftp+dns" is not a protocol that a module is called by; there are http, '],
    ['grpc://a:2,https://a:1', 'the addresses are by http and by grpc, and a module is called by one of them'],
    ['http+dns://payments', 'the port is missing: write it, such as http+dns://payments:4105'],
    ['http+dns://:1', 'the host is missing, as in http+dns://payments:4105'],
    ['http+srv://payments:4101', 'an SRV record says the port itself: leave it out'],
    ['http+dns://payments:4101/path', 'only ?server= may follow http+dns://payments:4101'],
    ['http+dns://payments:4101#x', 'only ?server= may follow http+dns://payments:4101'],
    ['http+dns://payments:4101?sever=127.0.0.1:53', '"sever" is unknown; known is server, as in ?server=127.0.0.1:'],
    ['http+dns://payments:4101?server=ns.example.com', 'the server is an IP address, with its port if need be, as in '],
    ['http+dns://:secret@payments:4101', 'there is no user and no password in an address'],
    ['http+srv://a b', 'its name cannot be read'],
    ['kafka://127.0.0.1:9092', 'kafka:// carries events and no calls: it belongs into BUS'],
    ['amqp://a,b', 'a module takes its calls from one broker'],
    ['amqp://', 'a broker has one host, as in amqp://user:secret@broker:5672'],
    ['amqp://a?partitions=x', '"partitions=x" is unknown; known is namespace, of letters, digits and -'],
    ['nats://a?namespace=shop&color=red', '"color=red" is unknown; known is namespace, of letters, digits and -'],
    ['amqp://ann:100%@broker', 'user and password must be percent-encoded'],
  ])('"%s" is refused, with where it stands, what is wrong and what to write', (text, why) => {
    expect(() => read(text)).toThrow(StartError);
    const [, shown, mistake] =
      /^MODULE_PAYMENTS: "(.*)" is not a placement: (.*); write such as in-process, http, /.exec(messageOf(text))!;
    expect(mistake).toContain(why);
    expect([text, text.replace(/[^/]*@/, '')]).toContain(shown);
    expect(messageOf(text)).toMatch(/ \(docs\/placements\.md\)$/);
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
