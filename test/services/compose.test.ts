import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { known } from '../../scripts/services/index.ts';

interface Compose {
  services: Record<string, { ports: string[] }>;
}

it('compose.yaml starts the servers of npm run services at the same ports, only on the loopback interface', () => {
  const { services } = parse(readFileSync('compose.yaml', 'utf8')) as Compose;
  const places = Object.entries(services).map(([name, { ports }]) => [name, ports.map(published)]);
  expect(Object.fromEntries(places)).toEqual(
    Object.fromEntries(Object.entries(known).map(([name, { port }]) => [name, [`127.0.0.1:${port}`]])),
  );
});

function published(mapping: string): string {
  return mapping.split(':').slice(0, 2).join(':');
}
