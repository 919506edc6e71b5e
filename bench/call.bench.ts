import { Cancellation, runInContext } from '../src/shared/kernel/context/index.ts';
import { bare, type Callable, inProcess, openPeers, overGrpc, overHttp, overQueues } from './call/callables.ts';
import { type Contestant, compare, concurrently, sayHowMuchMore } from './compare.ts';
import { input } from './sample.ts';

const peers = await openPeers();
const peer = (name: string) => peers.filter((each) => each.name.startsWith(name));
const inside = await inProcess();
const ours = [await overHttp(), await overGrpc(), ...(await overQueues())];

/** Calls from inside a served call, like a handler. */
function contestant({ name, call }: Callable, width: number): Contestant {
  const served = { requestId: 'bench-request', caller: 'bench', deadline: Date.now() + 3_600_000 };
  const context = { ...served, cancellation: new Cancellation() };
  return { name, run: (times) => runInContext(context, () => concurrently(times, width, () => call(input))) };
}

for (const width of [1, 100]) {
  const results = await compare({
    title: `A call within the process, ${width} at a time`,
    times: 15_000,
    rounds: 75,
    contestants: [bare, inside, ...peer('moleculer, local')].map((callable) => contestant(callable, width)),
  });
  sayHowMuchMore(results, 'kerf, in-process', ['moleculer, local']);
}

const remote = [...peer('hono'), ...ours, ...peers.filter(({ name }) => !/hono|local/.test(name))];
for (const [width, times, rounds] of [
  [1, 250, 45],
  [10, 750, 45],
  [100, 1_500, 35],
  [1_000, 4_000, 9],
] as const) {
  const contestants = remote.map((callable) => contestant(callable, width));
  const results = await compare({ title: `A call over the loopback, ${width} at a time`, times, rounds, contestants });
  sayHowMuchMore(results, 'kerf, http', ['hono and undici', 'moleculer, tcp']);
  sayHowMuchMore(results, 'kerf, grpc', ['grpc-js, unary']);
}

let seen = 0;
let known = 0;
console.log('\nMemory by calls in flight, in MB: during 20,000 calls, and afterwards');
const measured = [...ours, ...peers.filter(({ name }) => /grpc-js|moleculer, tcp/.test(name))];
for (const callable of measured) {
  const cells: string[] = [];
  for (const width of [1, 10, 100, 1_000]) {
    await collected();
    const before = process.memoryUsage().heapUsed;
    let most = before;
    await contestant(
      { ...callable, call: (value) => callable.call(value).then(() => (most = Math.max(most, heapNow()))) },
      width,
    ).run(20_000);
    await collected();
    cells.push(`${width}: ${mb(most - before)}, ${mb(heapNow() - before)}`);
  }
  console.log(`  ${callable.name.padEnd(20)} ${cells.map((cell) => cell.padEnd(20)).join('')}`.trimEnd());
}

/** Returns the heap size, updated only at every 512th call, because frequent reads would dominate the measurement. */
function heapNow(): number {
  if (seen++ % 512 === 0) known = process.memoryUsage().heapUsed;
  return known;
}

/** Waits for the remaining work of finished calls, then collects garbage. */
async function collected(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.gc?.();
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

for (const callable of [inside, ...ours, ...peers]) await callable.close();
// A broker client may keep the process alive until its answer timeout.
process.exit();
