import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../src/shared/clock/index.ts';
import { runInContext } from '../src/shared/context/index.ts';
import { Dispatcher } from '../src/shared/module/index.ts';
import { silentLog } from '../src/shared/observability/index.ts';
import { createCall, createClient, InProcessTransport, openLoopback, type Transport } from '../src/shared/transport/index.ts';
import { type Contestant, compare, concurrently } from './compare.ts';
import { input, price, sample } from './sample.ts';

interface Way {
  readonly name: string;
  call(input: unknown): Promise<unknown>;
  close(): Promise<unknown> | undefined;
}

const operation = sample.operations.price;
const dispatcher = new Dispatcher(sample, { price: price as never }, {} as never, systemClock, silentLog);
const context = { requestId: 'bench-request', caller: 'bench', deadline: Date.now() + 3_600_000 };

function kerf(name: string, transport: Transport, close = async () => {}): Way {
  const client = createClient(sample, (each) => createCall(each, 'bench', () => transport));
  return { name, call: (value) => client.price(value as never), close };
}

async function open(): Promise<Way[]> {
  const loopback = await openLoopback((_module, name, value, at) => dispatcher.dispatch(name, value, at));
  return [
    { name: 'bare: parse, await, parse', call: async (value) => operation.output.parse(await price(operation.input.parse(value))), close: undefined! },
    kerf('kerf, in-process', new InProcessTransport(dispatcher.dispatch)),
    kerf('kerf, http', loopback.link('sample'), () => loopback.close()),
  ];
}

async function openPeers(): Promise<Way[]> {
  const { openPeers } = await import(pathToFileURL(join(process.cwd(), 'bench', 'peers', 'index.mjs')).href);
  return openPeers();
}

const ways = [...(await open()), ...(await openPeers())];
const contestant = ({ name, call }: Way, width: number): Contestant => ({
  name,
  run: (times) => runInContext(context, () => concurrently(times, width, () => call(input))),
});
const named = (part: string) => ways.filter(({ name }) => name.includes(part));
const local = [...named('bare'), ...named('in-process'), ...named('local')];
const remote = [...named('hono'), ...named('kerf, http'), ...named('moleculer, tcp')];
for (const width of [1, 100]) {
  await compare({ title: `A call within the process, ${width} at a time`, times: 20_000, contestants: local.map((each) => contestant(each, width)) });
}
for (const width of [1, 10, 100]) {
  await compare({ title: `A call over the loopback, ${width} at a time`, times: width === 1 ? 2000 : 10_000, contestants: remote.map((each) => contestant(each, width)) });
}
for (const way of ways) await way.close?.();
process.exit();
