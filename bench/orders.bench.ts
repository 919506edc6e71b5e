import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { countSyncs, measure } from '../test/harness/usage.ts';
import { contestants, type Running } from './orders/contestants.ts';
import { closedLoop, type Load, openLoop, orders, ownOrders, product } from './orders/load.ts';
import { median, Report, type Turn } from './orders/report.ts';

// Measures whole processes under an external load of orders and reads, in a closed loop of N clients and in an open loop.
// ORDERS_BEFORE=../before/dist/app.js adds the artifact of another release.
const {
  ORDERS_CLIENTS = '1,16,64,256',
  ORDERS_ROUNDS = '3',
  ORDERS_SECONDS = '4',
  ORDERS_ONLY = '',
  ORDERS_BEFORE,
} = process.env;
const [rounds, ms] = [Number(ORDERS_ROUNDS), Number(ORDERS_SECONDS) * 1_000];
const capacityClients = 64;
const readClients = 32;

mkdirSync(join('dist', 'bench'), { recursive: true });
const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench', 'orders-'));
const running: Running[] = [];
try {
  // A system that runs and is not measured would take its share of the processor.
  const parts = ORDERS_ONLY.split(',');
  for (const { name, open } of contestants(folder, ORDERS_BEFORE))
    if (parts.some((part) => name.includes(part))) running.push(await open());
  for (const each of running) await closedLoop(each, orders, 16, ms);

  const capacity = new Map<string, number>();
  for (const clients of ORDERS_CLIENTS.split(',').map(Number)) {
    const turns = await inTurns(measuredWith(running, clients), (each) => closedLoop(each, orders, clients, ms));
    new Report(`POST /orders, ${clients} clients`, turns).print();
    if (clients === capacityClients)
      for (const [name, each] of turns)
        capacity.set(name, median(each.map(({ load }) => load.done.length / load.seconds)));
  }
  await syncs(running);
  for (const [name, work] of [
    ['GET /products/WAX', product],
    ['GET /orders', ownOrders],
  ] as const)
    new Report(
      `${name}, ${readClients} clients`,
      await inTurns(
        running.filter(({ isForOrders }) => !isForOrders),
        (each) => closedLoop(each, work, readClients, ms),
      ),
    ).print();
  for (const share of capacity.size > 0 ? [0.5, 2] : [])
    new Report(
      `POST /orders, open loop at ${share * 100} % of what it did with ${capacityClients} clients`,
      await inTurns(measuredWith(running, capacityClients), (each) =>
        openLoop(each, orders, capacity.get(each.name)! * share, ms),
      ),
    ).print();
} finally {
  await Promise.all(running.map((each) => each.stop()));
  rmSync(folder, { recursive: true, force: true });
}

/** Returns the contestants that are measured with this number of clients. */
function measuredWith(all: readonly Running[], clients: number): Running[] {
  return all.filter(({ isForOne }) => clients === 1 || !isForOne);
}

/** Runs the work by turns, in reverse order every second round, so that other load affects all contestants equally. */
async function inTurns(all: readonly Running[], work: (each: Running) => Promise<Load>): Promise<Map<string, Turn[]>> {
  const turns = new Map<string, Turn[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const each of round % 2 ? all.toReversed() : all) {
      const used = await measure(each.pids, folder);
      const load = await work(each);
      turns.get(each.name)!.push({ load, usage: await used() });
    }
  return turns;
}

/** Counts syncs: those beside the event loop by the process itself, then all of them by strace, which slows the process down. */
async function syncs(all: readonly Running[]): Promise<void> {
  for (const clients of [1, capacityClients]) {
    console.log(`\nfsync and fdatasync an order, ${clients} clients`);
    for (const each of measuredWith(all, clients)) {
      const used = await measure(each.pids, folder);
      const undisturbed = await closedLoop(each, orders, clients, ms);
      const beside = (await used()).syncs / undisturbed.done.length;
      const counted = await countSyncs(each.pids);
      if (!counted) return console.log('  not counted: strace is not installed');
      const load = await closedLoop(each, orders, clients, ms);
      const traced = (await counted()) / load.done.length;
      console.log(
        `  ${each.name.padEnd(20)} ${traced.toFixed(2)} with strace, ${beside.toFixed(2)} beside the event loop without it`,
      );
    }
  }
}
