import { once } from 'node:events';
import type { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { Pool } from 'undici';
import { systemClock } from '../src/shared/clock/index.ts';
import { runInContext } from '../src/shared/context/index.ts';
import { fixedKeyRing, ServiceTokens } from '../src/shared/identity/index.ts';
import { Dispatcher } from '../src/shared/module/index.ts';
import { silentLog } from '../src/shared/observability/index.ts';
import {
  createCall,
  createClient,
  createInternalServer,
  HttpTransport,
  InProcessTransport,
  Peers,
} from '../src/shared/transport/index.ts';
import { type Comparison, compare, concurrently } from './compare.ts';
import { input, price, sample } from './sample.ts';

const operation = sample.operations.price;
const dispatcher = new Dispatcher(sample, { price: price as never }, {} as never, systemClock, silentLog);
const context = { requestId: 'bench-request', caller: 'bench', deadline: Date.now() + 3_600_000 };
const bare = async (value: unknown) => operation.output.parse(await price(operation.input.parse(value)));

async function inProcess(): Promise<void> {
  const transport = new InProcessTransport(dispatcher.dispatch);
  const client = createClient(sample, (each) => createCall(each, 'bench', () => transport));
  for (const width of [1, 100]) {
    await compare({
      title: `A call within the process, ${width} at a time`,
      times: 20_000,
      contestants: [
        { name: 'bare: parse, await, parse', run: (times) => concurrently(times, width, () => bare(input)) },
        {
          name: 'contract call, in-process',
          run: (times) => runInContext(context, () => concurrently(times, width, () => client.price(input))),
        },
      ],
    });
  }
}

async function overHttp(): Promise<void> {
  const hono = createAdaptorServer({
    fetch: new Hono().post('/price', async (c) => c.json(await price(await c.req.json()))).fetch,
  });
  const tokens = new ServiceTokens(fixedKeyRing('BENCH', 'a secret for a benchmark of 32 characters'));
  const service = {
    call: (_module: string, name: string, value: unknown, at: never) => dispatcher.dispatch(name, value, at),
  };
  const kerf = createInternalServer(service as never, tokens, silentLog);
  const ports = await Promise.all(
    [hono as ReturnType<typeof createServer>, kerf].map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  const pool = new Pool(`http://127.0.0.1:${ports[0]}`, { connections: 128 });
  const peers = new Peers();
  const transport = new HttpTransport('sample', `http://127.0.0.1:${ports[1]}`, peers, tokens);
  const client = createClient(sample, (each) => createCall(each, 'bench', () => transport));
  const exchange = async () => {
    const answer = await pool.request({
      method: 'POST',
      path: '/price',
      body: JSON.stringify(input),
      headers: { 'content-type': 'application/json' },
    });
    return answer.body.json();
  };
  for (const width of [1, 10, 100]) {
    const comparison: Comparison = {
      title: `A call over HTTP, ${width} at a time`,
      times: 2_000,
      contestants: [
        { name: 'bare: hono and undici', run: (times) => concurrently(times, width, exchange) },
        {
          name: 'contract call, http',
          run: (times) => runInContext(context, () => concurrently(times, width, () => client.price(input))),
        },
      ],
    };
    await compare(comparison);
  }
  await Promise.all([pool.close(), peers.close()]);
  hono.close();
  kerf.close();
}

await inProcess();
await overHttp();
