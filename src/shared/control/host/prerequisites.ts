import { connect as connectSocket } from 'node:net';
import type { z } from 'zod';
import { background } from '../../kernel/context/index.ts';
import { messageOf } from '../../kernel/errors/index.ts';
import { defaultSilence, hostOf, shownAddress, type TlsMaterial } from '../../kernel/ports/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import type { prerequisitesSchema } from '../admin-contract/index.ts';
import { listensAt, placementText, type Topology } from '../topology/index.ts';
import { secretsOfBroker } from './secrets.ts';
import { readTls } from './tls-files.ts';
import { discoveryOf } from './upstreams.ts';

/** Longer than any client takes to connect, and shorter than the patience of `npx kerf doctor`. */
const withinMs = 3_000;
const namesOfFiles = [
  ...(['INTERNAL_TLS_CERT', 'INTERNAL_TLS_KEY', 'INTERNAL_TLS_CA'] as const),
  ...(['INTERNAL_IDENTITY', 'LOG_FILE'] as const),
];

/**
 * Prints the prerequisites of a start as JSON, and which of them answer. Then ends the process, because a client that has timed out may
 * keep its connection to a broker. Throws a `StartError` for an invalid setting.
 */
export async function printPrerequisites(topology: Topology): Promise<never> {
  const text = `${JSON.stringify(await prerequisitesOf(topology))}\n`;
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  process.exit(0);
}

async function prerequisitesOf(topology: Topology): Promise<z.input<typeof prerequisitesSchema>> {
  const { settings, placements, only } = topology;
  const tls = readTls(settings);
  const internal = listensAt(topology, 'INTERNAL_PORT');
  const own = only ? [] : [{ setting: 'PORT', host: settings.HOST, port: settings.PORT }];
  const services = [...placements].flatMap(([module, placement]) =>
    placement.kind === 'service' && !only ? [{ module, ...placement }] : [],
  );
  const ofServices = services.flatMap(({ module, port }) =>
    port === undefined ? [] : [{ setting: `the placement of ${module}`, host: '127.0.0.1', port }],
  );
  const [brokers, sources] = await Promise.all([brokersOf(topology, tls), sourcesOf(topology)]);
  return {
    dataDir: settings.DATA_DIR,
    listeners: [...own, internal, ...ofServices],
    files: namesOfFiles.flatMap((setting) => {
      const file = settings[setting];
      return file === undefined ? [] : [{ setting, file }];
    }),
    processes: services.reduce((sum, { instances }) => sum + instances, 0),
    brokers,
    sources,
  };
}

function brokersOf({ settings, placements, adapters }: Topology, tls: TlsMaterial) {
  const named = [
    { setting: 'BUS', url: settings.BUS },
    { setting: 'BUS_BEFORE', url: settings.BUS_BEFORE },
    ...[...placements].map(([module, placement]) => ({
      setting: `the placement of ${module}`,
      url: placement.kind === 'broker' ? placement.url : undefined,
    })),
  ];
  return Promise.all(
    named.flatMap(({ setting, url }) => {
      if (url === undefined || !adapters.isBrokerUrl(url)) return [];
      const reached = inTime(reach(url, adapters, tls)).then(
        () => undefined,
        (error) => withoutSecrets(messageOf(error), url),
      );
      return [reached.then((why) => ({ setting, address: shownAddress(url), why }))];
    }),
  );
}

/** Signs in to a broker that carries calls. Only connects to any other broker. */
async function reach(address: string, adapters: Adapters, tls: TlsMaterial): Promise<void> {
  const url = new URL(address);
  if (adapters.carriesCalls(address)) {
    const nobody = { answered() {}, nobody() {} };
    const session = await adapters.sessionOpenerFor(address)({ url, tls, silence: defaultSilence }, nobody);
    return session.close();
  }
  const example = adapters.brokers.find(({ protocols }) => protocols.includes(url.protocol))?.example;
  const port = Number(url.port || (example && new URL(example).port));
  await new Promise<void>((resolve, reject) => {
    const socket = connectSocket({ host: hostOf(url), port, timeout: withinMs });
    socket.once('error', reject).once('timeout', () => socket.destroy(new Error('it does not answer')));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function withoutSecrets(message: string, url: string): string {
  return secretsOfBroker(url).reduce((text, secret) => text.replaceAll(secret, '…'), message);
}

function sourcesOf({ placements, adapters }: Topology) {
  return Promise.all(
    [...placements].flatMap(([module, placement]) => {
      if (placement.kind !== 'name' && placement.kind !== 'file') return [];
      const discovery = discoveryOf(module, placement, { log: silentLog, adapters });
      const found = inTime(
        new Promise<number>((resolve) => discovery?.watch(({ length }) => length && resolve(length))),
      );
      return [
        found
          .catch(() => 0)
          .finally(() => discovery?.stop())
          .then((count) => ({ module, source: placementText(placement), found: count })),
      ];
    }),
  );
}

/** Rejects when `work` takes too long. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = background.setTimeout(() => reject(new Error('it does not answer')), withinMs);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
