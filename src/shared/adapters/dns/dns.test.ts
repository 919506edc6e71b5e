import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartError } from '../../kernel/errors/index.ts';
import { CountingClock, changingCases, Ear, Notes, type OpenChanging } from '../../kernel/ports/discovery.cases.ts';
import type { DnsName } from '../../kernel/ports/index.ts';
import { dnsAddresses } from './dns.ts';
import { DnsServer } from './dns-server.scene.ts';

const hosts: DnsName = { kind: 'a', protocol: 'http', name: 'payments.internal', port: 4105 };
const services: DnsName = { kind: 'srv', protocol: 'http', name: '_payments._tcp.internal' };
const servfail = 2;

/** Makes `server` return `addresses`, such as `http://10.0.0.7:4105`, in the given order. */
function list(server: DnsServer, { kind, name }: DnsName, addresses: readonly string[]): void {
  const ips = addresses.map((address) => new URL(address).hostname);
  const hostOf = (ip: string) => `host-${ip.replaceAll('.', '-')}.internal`;
  if (kind === 'a') server.set('A', name, 20, ...ips);
  else server.set('SRV', name, 20, ...ips.map((ip) => `0 0 4105 ${hostOf(ip)}`));
  for (const ip of ips) server.set('A', hostOf(ip), 20, ip);
}

async function openCase(name: DnsName, addresses: readonly string[]): Promise<OpenChanging> {
  const [server, clock, notes] = [await DnsServer.open(), new CountingClock(), new Notes()];
  list(server, name, addresses);
  const discovery = dnsAddresses({ ...name, server: server.address, clock, log: notes.log });
  return {
    discovery,
    clock,
    change(next) {
      server.trouble = 0;
      list(server, name, next);
      clock.advance(20_000);
    },
    async fail() {
      const noted = notes.next();
      server.trouble = servfail;
      clock.advance(20_000);
      await noted;
    },
    ...(process.platform === 'linux' && { openResources: () => server.openSockets() }),
    close: () => server.close(),
  };
}

changingCases('a name with A records', (addresses) => openCase(hosts, addresses));
changingCases('a name with SRV records', (addresses) => openCase(services, addresses));

describe('addresses from DNS', () => {
  let server: DnsServer;
  let clock: CountingClock;
  let notes: Notes;
  let ear: Ear;
  let stop = () => {};
  beforeEach(async () => {
    server = await DnsServer.open();
    [clock, notes, ear] = [new CountingClock(), new Notes(), new Ear()];
  });
  afterEach(async () => {
    stop();
    await server.close().catch(() => {}); // Closed by the test.
  });
  const start = (name: DnsName) => {
    const discovery = dnsAddresses({ ...name, server: server.address, clock, log: notes.log });
    stop = () => discovery.stop();
    discovery.watch(ear.hear);
    return discovery;
  };

  it('include IPv4 and IPv6', async () => {
    server.set('A', hosts.name, 60, '10.0.0.7', '10.0.0.6');
    server.set('AAAA', hosts.name, 60, 'fd000000000000000000000000000007');
    start(hosts);
    await ear.until(['http://10.0.0.6:4105', 'http://10.0.0.7:4105', 'http://[fd00::7]:4105']);
  });

  it.each([
    { ttl: 0, kind: 'a', seconds: 1 },
    { ttl: 20, kind: 'a', seconds: 20 },
    { ttl: 86_400, kind: 'a', seconds: 300 },
    { ttl: 20, kind: 'srv', seconds: 20 },
    { ttl: 86_400, kind: 'srv', seconds: 30 },
  ] as const)('with a TTL of $ttl s ($kind) are queried again after $seconds s', async ({ ttl, kind, seconds }) => {
    server.set('A', hosts.name, ttl, '10.0.0.7');
    server.set('SRV', services.name, 86_400, `0 0 4105 ${hosts.name}`);
    start(kind === 'a' ? hosts : services);
    await ear.until(['http://10.0.0.7:4105']);
    expect(clock.nextMs).toBe(seconds * 1_000);
    server.set('A', hosts.name, ttl, '10.0.0.8');
    const questions = server.asked.length;
    clock.advance(seconds * 1_000 - 1);
    expect(ear.heard).toEqual([['http://10.0.0.7:4105']]);
    clock.advance(1);
    await ear.until(['http://10.0.0.8:4105']);
    expect(server.asked.length).toBe(2 * questions);
  });

  it('are dropped when they are dead, before their TTL, and the name is queried again', async () => {
    server.set('A', hosts.name, 20, '10.0.0.7', '10.0.0.8');
    const discovery = start(hosts);
    await ear.until(['http://10.0.0.7:4105', 'http://10.0.0.8:4105']);
    server.set('A', hosts.name, 20, '10.0.0.7', '10.0.0.8', '10.0.0.9');
    discovery.dead('http://10.0.0.7:4105');
    expect(ear.heard.at(-1)).toEqual(['http://10.0.0.8:4105']);
    await ear.until(['http://10.0.0.8:4105', 'http://10.0.0.9:4105']);
    clock.advance(20_000);
    await ear.until(['http://10.0.0.7:4105', 'http://10.0.0.8:4105', 'http://10.0.0.9:4105']);
  });

  it('come from the lowest SRV priority, each with its port, and from the next one when those are dead', async () => {
    server.set('A', 'big.internal', 60, '10.0.0.1', '10.0.0.2');
    server.set('A', 'small.internal', 60, '10.0.0.3');
    server.set(
      'SRV',
      services.name,
      60,
      '20 0 4300 small.internal',
      '10 5 4101 big.internal',
      '10 0 4102 big.internal',
    );
    const discovery = start({ ...services, protocol: 'grpc' });
    const first = ['grpc://10.0.0.1:4101', 'grpc://10.0.0.1:4102', 'grpc://10.0.0.2:4101', 'grpc://10.0.0.2:4102'];
    await ear.until(first);
    for (const address of first) discovery.dead(address);
    expect(ear.heard.at(-1)).toEqual(['grpc://10.0.0.3:4300']);
  });

  it('come from the existing SRV targets', async () => {
    server.set('A', 'big.internal', 60, '10.0.0.1');
    server.set('SRV', services.name, 60, '10 0 4101 gone.internal', '20 0 4102 big.internal');
    start(services);
    await ear.until(['http://10.0.0.1:4102']);
  });

  it('are empty when SRV states that the service does not exist', async () => {
    server.set('SRV', services.name, 60, '0 0 0 .');
    start(services);
    await ear.until([]);
    expect(server.asked).toEqual([`SRV ${services.name}`]);
  });

  it.each(['no such name', 'no such record'])(
    'are empty at first with %s, and arrive when the record exists',
    async (what) => {
      if (what === 'no such record') server.set('SRV', hosts.name, 60, `0 0 1 ${hosts.name}`);
      start(hosts);
      await ear.until([]);
      server.set('A', hosts.name, 20, '10.0.0.7');
      clock.advance(1_000);
      await ear.until(['http://10.0.0.7:4105']);
    },
  );

  it('are kept when the name no longer exists', async () => {
    server.set('A', hosts.name, 20, '10.0.0.7');
    start(hosts);
    await ear.until(['http://10.0.0.7:4105']);
    server.forget();
    const noted = notes.next();
    clock.advance(20_000);
    await noted;
    expect(ear.heard).toEqual([['http://10.0.0.7:4105']]);
    expect(notes.lines[0]).toContain('it knows of no instance');
  });

  it('are kept when the server is down', async () => {
    server.set('A', hosts.name, 20, '10.0.0.7');
    start(hosts);
    await ear.until(['http://10.0.0.7:4105']);
    await server.close();
    const noted = notes.next();
    clock.advance(20_000);
    await noted;
    expect(notes.lines[0]).toContain('ECONNREFUSED');
    expect(ear.heard).toEqual([['http://10.0.0.7:4105']]);
  });

  it.runIf(process.platform === 'linux')(
    'are no longer queried after the stop, also with a silent server',
    async () => {
      server.trouble = 'silent';
      const asked = server.nextQuestion();
      const discovery = start(hosts);
      await asked;
      expect(server.openSockets()).toBeGreaterThan(0);
      discovery.stop();
      await new Promise((resolve) => setImmediate(resolve));
      expect(server.openSockets()).toBe(0);
    },
  );

  it('need the IP address of the server', () => {
    const open = () => dnsAddresses({ ...hosts, server: 'consul:8600', clock, log: notes.log });
    expect(open).toThrow(StartError);
    expect(open).toThrow('"consul:8600" is not a DNS server; write its IP address and port, such as 127.0.0.1:8600');
  });
});
