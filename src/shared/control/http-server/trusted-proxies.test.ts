import { describe, expect, it } from 'vitest';
import { clientAddress, clientNetwork, noProxies, readTrustedProxies } from './trusted-proxies.ts';

const proxies = readTrustedProxies('10.0.0.0/8, 192.168.1.7, fd00::/16, ::1')!;
const peer = '10.0.0.1';
const byForwardedFor = (xForwardedFor: string, from = peer, trusted = proxies) =>
  clientAddress(from, { xForwardedFor }, trusted);
const byForwarded = (forwarded: string, from = peer, trusted = proxies) => clientAddress(from, { forwarded }, trusted);

describe('the address of a client', () => {
  it('is the peer when the peer is not a trusted proxy', () => {
    expect(byForwardedFor('203.0.113.9', '198.51.100.1')).toBe('198.51.100.1');
    expect(byForwarded('for=203.0.113.9', '198.51.100.1')).toBe('198.51.100.1');
    expect(byForwardedFor('203.0.113.9', '127.0.0.1', noProxies)).toBe('127.0.0.1');
    expect(clientAddress(undefined, { xForwardedFor: '203.0.113.9' }, proxies)).toBe('unknown');
  });

  it('is read from the right, up to the first address that is not a trusted proxy', () => {
    expect(byForwardedFor('203.0.113.9')).toBe('203.0.113.9');
    expect(byForwardedFor('1.1.1.1, 203.0.113.9, 10.2.3.4,192.168.1.7')).toBe('203.0.113.9');
    expect(byForwardedFor('10.9.9.9, 10.2.3.4')).toBe('10.9.9.9');
    expect(byForwarded('for=1.1.1.1, FOR=203.0.113.9;proto=https;by=10.0.0.1 , for="10.2.3.4"')).toBe('203.0.113.9');
  });

  it.each([
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[2001:DB8:0:0::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['[::ffff:cb00:7109]:1', '203.0.113.9'],
    ['fe80::1%eth0', 'fe80::1'],
    ['', peer],
    ['unknown', peer],
    ['_hidden', peer],
    ['203.0.113', peer],
    ['203.0.113.256', peer],
    ['203.0.113.9:port', peer],
    ['[203.0.113.9]', peer],
    ['[::1', peer],
    ['example.com', peer],
    ['203.0.113.9 1.1.1.1', peer],
  ])('is read from X-Forwarded-For: %s', (header, client) => {
    expect(byForwardedFor(header)).toBe(client);
    expect(byForwardedFor(`1.1.1.1, ${header}`)).toBe(client);
  });

  it.each([
    ['for=203.0.113.9', '203.0.113.9'],
    ['For="203.0.113.9:80"', '203.0.113.9'],
    ['for="[::ffff:203.0.113.9]:_http"', '203.0.113.9'],
    ['for="[2001:db8::1]:123";proto=http', '2001:db8::1'],
    ['proto=https; for=203.0.113.9', '203.0.113.9'],
    ['for=unknown', peer],
    ['for=_hidden', peer],
    ['for="_hidden:80"', peer],
    ['proto=https', peer],
    ['by=203.0.113.9', peer],
    ['xfor=203.0.113.9', peer],
    ['for="203.0.113.9', peer],
    ['for=', peer],
    ['', peer],
  ])('is read from Forwarded: %s', (header, client) => {
    expect(byForwarded(header)).toBe(client);
    expect(byForwarded(`for=1.1.1.1, ${header}`)).toBe(client);
  });

  it('is not hidden by forged entries in front of it', () => {
    for (const forged of ['for="', 'for="a, b', 'for=1.1.1.1;x="\\"', '"', ',,,', 'for="1.1.1.1\\']) {
      expect(byForwarded(`${forged}, for=203.0.113.9`)).toBe('203.0.113.9');
    }
    for (const forged of ['"', '[', ',,,', '10.0.0.1']) {
      expect(byForwardedFor(`${forged}, 203.0.113.9`)).toBe('203.0.113.9');
    }
  });

  it('is not read from another parameter, nor from a duplicate one', () => {
    expect(byForwarded('by=";for=6.6.6.6;";for=203.0.113.9')).toBe('203.0.113.9');
    expect(byForwarded('host="a\\";for=6.6.6.6";for=203.0.113.9')).toBe('203.0.113.9');
    expect(byForwarded('for=6.6.6.6;for=203.0.113.9')).toBe(peer);
    expect(byForwarded('for=6.6.6.6 by=x')).toBe(peer);
  });

  it('is the proxy when both headers disagree, since a client may have forged one', () => {
    const agree = { forwarded: 'for=203.0.113.9', xForwardedFor: '1.1.1.1, 203.0.113.9' };
    expect(clientAddress(peer, agree, proxies)).toBe('203.0.113.9');
    const disagree = { forwarded: 'for=1.1.1.1', xForwardedFor: '203.0.113.9' };
    expect(clientAddress(peer, disagree, proxies)).toBe(peer);
  });

  it('is a given number of hops away when proxies are counted', () => {
    const header = '1.1.1.1, 2.2.2.2, 3.3.3.3';
    const after = ['0', '1', '2', '3', '4'].map((hops) => byForwardedFor(header, '4.4.4.4', readTrustedProxies(hops)!));
    expect(after).toEqual(['4.4.4.4', '3.3.3.3', '2.2.2.2', '1.1.1.1', '1.1.1.1']);
  });
});

describe('trusted proxies', () => {
  it.each([
    '10.0.0.1',
    '10.0.0.0/8',
    '::1',
    'fd00::/8',
    'fc00::/7',
    '::ffff:10.0.0.0/104',
    '10.0.0.1,fd00::/8',
    '0',
    '32',
  ])('may be %s', (text) => expect(readTrustedProxies(text)).toBeDefined());

  it.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.0/33',
    '0.0.0.0/0',
    '::/0',
    '::/1',
    '::/8',
    '::/64',
    '::fffe:0:0/95',
    '8000::/1',
    '2000::/3',
    '0.0.0.0/1',
    '64.0.0.0/7',
    '::ffff:0:0/96',
    '::ffff:10.0.0.0/103',
    '10.0.0.1,::/1',
    '::/129',
    '10.0.0.1,',
    '-1',
    '33',
    '1.5',
    'x/8',
  ])('may not be "%s"', (text) => expect(readTrustedProxies(text)).toBeUndefined());

  it('are recognized in both notations of an IPv4 address', () => {
    expect(byForwardedFor('203.0.113.9', '::ffff:10.0.0.1')).toBe('203.0.113.9');
    expect(byForwardedFor('203.0.113.9', '10.1.2.3', readTrustedProxies('::ffff:10.0.0.0/104')!)).toBe('203.0.113.9');
  });
});

it('counts a /64 network as one client, and an IPv4 address', () => {
  const networks = ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', '2001:db8:1:3::9', '::1', '203.0.113.9'].map(
    clientNetwork,
  );
  expect(networks).toEqual([
    '2001:db8:1:2::/64',
    '2001:db8:1:2::/64',
    '2001:db8:1:3::/64',
    '0:0:0:0::/64',
    '203.0.113.9',
  ]);
});
