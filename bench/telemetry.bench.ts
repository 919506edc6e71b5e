import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Adapters } from '../src/shared/control/adapter-list/index.ts';
import { Recorder } from '../src/shared/control/traces/recorder.ts';
import { Cancellation, runInContext } from '../src/shared/kernel/context/index.ts';
import { fromTraceFields, ofService, silentLog, startSpan } from '../src/shared/kernel/telemetry/index.ts';
import { measure } from '../test/harness/usage.ts';
import { inProcess } from './call/callables.ts';
import { type Contestant, compare, concurrently } from './compare.ts';
import { kerfWith, type Running } from './orders/contestants.ts';
import { closedLoop, orders } from './orders/load.ts';
import { Report, type Turn } from './orders/report.ts';
import { input } from './sample.ts';

// Measures what traces cost: a call within the process, and orders of whole processes. TELEMETRY_CLIENTS, TELEMETRY_ROUNDS and
// TELEMETRY_SECONDS change the orders' load.

type Kind = 'off' | 'no trace' | 'not sampled' | 'sampled';

/** In a worker: serves turns of calls, each in a trace of the worker's kind. */
async function serveCalls(kind: Kind): Promise<void> {
  const { call } = await inProcess();
  if (kind !== 'off') {
    const settings = {
      TRACE_SLOW_MS: 60_000,
      TRACES_IN_MEMORY: 10_000,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    } as const;
    const ownService = 'bench';
    const adapters = new Adapters([]);
    new Recorder({
      settings: { ...settings, OTEL_TRACES_SAMPLER_ARG: 0 },
      env: {},
      ownService,
      adapters,
      log: silentLog,
      mask: (text) => text,
    });
  }
  const flags = kind === 'sampled' ? '01' : '00';
  const given = fromTraceFields({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}` });
  const trace =
    kind === 'off' || kind === 'no trace' ? undefined : startSpan('request', {}, ofService('bench', given)).context;
  const served = {
    requestId: 'bench-request',
    caller: 'bench',
    deadline: Date.now() + 3_600_000,
    ...(trace && { trace }),
  };
  const context = { ...served, cancellation: new Cancellation() };
  parentPort!.on('message', async (times: number) => {
    await runInContext(context, () => concurrently(times, 1, () => call(input)));
    parentPort!.postMessage('done');
  });
  parentPort!.postMessage('ready');
}

async function inWorker(kind: Kind): Promise<Contestant & { close(): Promise<unknown> }> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: kind });
  const next = () => new Promise<void>((resolve) => worker.once('message', () => resolve()));
  await next();
  const run = (times: number) => {
    worker.postMessage(times);
    return next();
  };
  return { name: kind === 'off' ? 'off' : `on, ${kind}`, run, close: () => worker.terminate() };
}

async function compareCalls(): Promise<void> {
  const contestants = await Promise.all((['off', 'no trace', 'not sampled', 'sampled'] as const).map(inWorker));
  await compare({ title: 'A call within the process, and traces', times: 30_000, rounds: 41, contestants });
  await Promise.all(contestants.map((each) => each.close()));
}

async function compareOrders(): Promise<void> {
  const { TELEMETRY_CLIENTS = '64', TELEMETRY_ROUNDS = '7', TELEMETRY_SECONDS = '4' } = process.env;
  const [clients, rounds, ms] = [
    Number(TELEMETRY_CLIENTS),
    Number(TELEMETRY_ROUNDS),
    Number(TELEMETRY_SECONDS) * 1_000,
  ];
  mkdirSync(join('dist', 'bench'), { recursive: true });
  const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench', 'telemetry-'));
  const sink = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(sink.address() as AddressInfo).port}` };
  const kinds: [string, Record<string, string>][] = [
    ['no traces', { OTEL_SDK_DISABLED: 'true' }],
    ['10 % sampled (default)', {}],
    ['100 % sampled, sent by OTLP', { OTEL_TRACES_SAMPLER_ARG: '1', ...otlp }],
  ];
  const running: Running[] = [];
  try {
    for (const [name, env] of kinds) running.push(await kerfWith(name, env, folder));
    // SQLite syncs each commit until a process knows that it is the only writer, which takes 15 s.
    const warmed = Date.now() + 18_000;
    while (Date.now() < warmed) for (const each of running) await closedLoop(each, orders, 16, 1_500);
    const turns = new Map<string, Turn[]>(running.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const each of running.map((_, index) => running[(index + round) % running.length]!)) {
        const used = await measure(each.pids, folder);
        const load = await closedLoop(each, orders, clients, ms);
        turns.get(each.name)!.push({ load, usage: await used() });
      }
    new Report(`POST /orders, one process, ${clients} clients, and traces`, turns).print();
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    sink.close().closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMainThread) {
  await compareCalls();
  await compareOrders();
} else await serveCalls(workerData as Kind);
