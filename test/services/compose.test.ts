import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { kinds } from '../../scripts/services/index.ts';

interface Compose {
  services: Record<string, { ports: string[] }>;
}

/** Tests write their settings, and they scrape processes of this machine. */
const withoutDocker = ['prometheus', 'alertmanager'];

it('compose.yaml starts the servers of npx kerf services at the same ports, only on the loopback interface', () => {
  const { services } = parse(readFileSync('compose.yaml', 'utf8')) as Compose;
  const places = Object.entries(services).map(([name, { ports }]) => [name, ports.map(published)]);
  const expected = Object.values(kinds).filter(({ name }) => !withoutDocker.includes(name));
  expect(Object.fromEntries(places)).toEqual(
    Object.fromEntries(expected.map(({ name, port, portCount }) => [name, addresses(port, portCount)])),
  );
});

function addresses(port: number, count = 1): string[] {
  return Array.from({ length: count }, (_, index) => `127.0.0.1:${port + index}`);
}

function published(mapping: string): string {
  return mapping.split(':').slice(0, 2).join(':');
}
