import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openLoopback } from '../../src/shared/adapters/http/loopback.scene.ts';
import { openHost } from '../../src/shared/control/host/host.ts';
import { fixedKeyRing, ServiceTokens } from '../../src/shared/control/identity/index.ts';
import type { ControlPart } from '../../src/shared/control/parts/index.ts';
import { serveQueue } from '../../src/shared/control/queue/index.ts';
import { readTopology } from '../../src/shared/control/topology/index.ts';
import { createCall, createClient, type Serve, type Transport } from '../../src/shared/kernel/calls/index.ts';
import { type CallContext, systemClock } from '../../src/shared/kernel/context/index.ts';
import { Dispatcher, defineModule } from '../../src/shared/kernel/module/index.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';
import { adapters } from '../../test/harness/adapters.ts';
import { brokersThatAnswer } from '../events/carriers.ts';
import { price, sample } from '../sample.ts';

/** An implementation that prices an order. */
export interface Callable {
  readonly name: string;
  call(input: unknown): Promise<unknown>;
  close(): Promise<unknown>;
}

const operation = sample.operations.price;
const { dispatch } = new Dispatcher(sample, { price: price as never }, {} as never, systemClock, silentLog);
const serve: Serve = (_module, name, input, context: CallContext) => dispatch(name, input, context);
const tokens = new ServiceTokens(fixedKeyRing('BENCH', 'a secret for a benchmark of 32 characters'));

/** The minimum work of a call within a process: check and copy the input and the output. */
export const bare: Callable = {
  name: 'bare: parse, await, parse',
  call: async (input) => operation.output.parse(await price(operation.input.parse(input))),
  close: async () => {},
};

/** Opens a call between two modules of a host, as in production, with these parts of control. */
export async function inProcess(control: readonly ControlPart[] = []): Promise<Callable> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kerf-bench-'));
  const about = { name: 'sample', owner: 'bench', about: 'Prices', uses: [], listensTo: [] };
  const module = defineModule({
    contract: sample,
    about,
    migrations: [],
    open: () => ({ operations: { price: (input) => price(input) } }),
  });
  const settings = { DATA_DIR: dataDir, INTERNAL_PORT: '0', PARITY: 'fast', LOG_LEVEL: 'error', TOPOLOGY: '' };
  const host = await openHost(readTopology([module], undefined, settings, adapters), [module], control);
  const client = createClient(sample, (each) => host.calls(each, 'bench'));
  return {
    name: ['kerf, in-process', ...control.map(({ name }) => name)].join(', '),
    call: (input) => client.price(input as never),
    async close() {
      await host.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

export async function overHttp(): Promise<Callable> {
  const loopback = await openLoopback(serve);
  return kerf('http', loopback.link('sample'), () => loopback.close());
}

export async function overGrpc(): Promise<Callable> {
  const { listener } = adapters.wireNamed('grpc', 'the benchmark');
  const server = await listener!.open({ serve, tokens, log: silentLog, tls: {}, modules: [sample] });
  const port = await server.listen('127.0.0.1', 0);
  const link = linkTo(`grpc://127.0.0.1:${port}`);
  return kerf('grpc', link, async () => {
    await link.close();
    await server.close();
  });
}

/** Opens a call over each available broker. */
export async function overQueues(): Promise<Callable[]> {
  const urls = (await brokersThatAnswer()).filter((url) => !url.startsWith('kafka'));
  return Promise.all(
    urls.map(async (url) => {
      const server = await serveQueue({
        openSession: adapters.sessionOpenerFor(url),
        url,
        module: 'sample',
        serve,
        tokens,
        log: silentLog,
      });
      const link = linkTo(url);
      return kerf(`queue, ${url.split(':', 1)[0]}`, link, async () => {
        await link.close();
        await server.close();
      });
    }),
  );
}

/** Opens other frameworks outside the bundle. They are installed apart from this project's dependencies. */
export async function openPeers(): Promise<Callable[]> {
  const { openPeers: open } = await import(pathToFileURL(join(process.cwd(), 'bench', 'peers', 'index.mjs')).href);
  return open();
}

function kerf(name: string, transport: Transport, close: () => Promise<unknown>): Callable {
  const client = createClient(sample, (each) => createCall(each, 'bench', () => transport));
  return { name: `kerf, ${name}`, call: (input) => client.price(input as never), close };
}

function linkTo(address: string) {
  return adapters.connect({ address, module: 'sample', contract: sample, tokens, tls: {}, onLeaving() {} });
}
