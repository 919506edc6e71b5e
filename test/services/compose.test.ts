import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kinds } from '../../scripts/services/index.ts';

interface Service {
  readonly ports?: string[];
  readonly profiles?: string[];
  readonly environment?: Record<string, string>;
  readonly volumes?: string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>> & { readonly grafana: Service };
}

/** Tests write their settings, and they scrape processes of this machine. */
const withoutDocker = ['prometheus', 'alertmanager'];

const { services } = parse(readFileSync('compose.yaml', 'utf8')) as Compose;

it('compose.yaml starts the servers of npm run services at the same ports, only on the loopback interface', () => {
  const tested = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
  const places = tested.map(([name, { ports = [] }]) => [name, ports.map(published)]);
  const expected = Object.values(kinds).filter(({ name }) => !withoutDocker.includes(name));
  expect(Object.fromEntries(places)).toEqual(
    Object.fromEntries(expected.map(({ name, port, portCount }) => [name, addresses(port, portCount)])),
  );
});

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;

it.skipIf(!hasCompose)('compose.yaml has the form that Docker reads (needs docker compose)', () => {
  const { status, stderr } = spawnSync('docker', ['compose', '--profile', '*', 'config', '--quiet'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});

describe('Grafana in compose.yaml', () => {
  const { environment = {}, profiles, volumes = [] } = services.grafana;
  const mounts = new Map(volumes.map((each) => each.split(':').slice(0, 2).reverse() as [string, string]));
  const provisioning = mounts.get('/etc/grafana/provisioning')!;
  const provisioned = <T>(kind: string) => {
    const [file, ...others] = readdirSync(join(provisioning, kind));
    expect(others).toEqual([]);
    const text = readFileSync(join(provisioning, kind, file!), 'utf8');
    return { text, content: parse(text) as T };
  };

  it('starts only when asked for, and listens on the loopback interface', () => {
    expect(profiles).toEqual(['grafana']);
    expect(environment.GF_SERVER_HTTP_ADDR).toBe('127.0.0.1');
    for (const folder of mounts.values()) expect(statSync(folder).isDirectory()).toBe(true);
    for (const each of volumes) expect(each).toMatch(/:ro$/);
  });

  it('loads the dashboards from a folder that is mounted', () => {
    const { content } = provisioned<{ apiVersion: number; providers: { type: string; options: { path: string } }[] }>(
      'dashboards',
    );
    expect(content).toMatchObject({ apiVersion: 1, providers: [{ type: 'file' }] });
    const folder = mounts.get(content.providers[0]!.options.path)!;
    expect(readdirSync(folder)).toEqual(readdirSync('deploy/grafana/dashboards'));
  });

  it('asks servers whose addresses it is given, and finds the traces of exemplars in one of them', () => {
    interface Source {
      readonly uid: string;
      readonly type: string;
      readonly url: string;
      readonly jsonData?: { readonly exemplarTraceIdDestinations: readonly { readonly datasourceUid: string }[] };
    }
    const { content, text } = provisioned<{ apiVersion: number; datasources: Source[] }>('datasources');
    expect(content.apiVersion).toBe(1);
    expect(content.datasources.map(({ type }) => type)).toEqual(['prometheus', 'zipkin']);
    for (const { url } of content.datasources) expect(Object.keys(environment)).toContain(url.replace('$', ''));
    const [destination] = content.datasources[0]!.jsonData!.exemplarTraceIdDestinations;
    expect(content.datasources.map(({ uid }) => uid)).toContain(destination!.datasourceUid);
    // Grafana replaces every dollar sign that is not doubled.
    expect(text.replace(/^#.*$/gm, '').match(/\$\w*/g)).toEqual(['$PROMETHEUS_URL', '$ZIPKIN_URL']);
  });
});

function addresses(port: number, count = 1): string[] {
  return Array.from({ length: count }, (_, index) => `127.0.0.1:${port + index}`);
}

function published(mapping: string): string {
  return mapping.split(':').slice(0, 2).join(':');
}
