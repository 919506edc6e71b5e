import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { subscriptionMap } from '../src/shared/kernel/events/index.ts';
import { compare, concurrently } from './compare.ts';
import { brokersThatAnswer, carryBy } from './events/carriers.ts';
import { type Delay, delayAt } from './events/delay.ts';
import { openPipeline } from './events/kerf.ts';
import { openNaive } from './events/naive.ts';
import { change, Ledger, orders, type Pipeline } from './events/pipeline.ts';

const writers = 500;
const delayRounds = 3;

/** A pipeline with its own event counter. */
class MeasuredPipeline {
  readonly ledger = new Ledger();
  pipeline!: Pipeline;
  readonly delays: Delay[] = [];
  #published = 0;
  readonly next = () => this.#published++;

  async run(times: number): Promise<void> {
    const all = this.ledger.expect(times);
    await concurrently(times, writers, () => this.pipeline.publish(change(this.next())));
    await all;
  }
}

const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench-'));
const subscriptions = subscriptionMap([
  { contract: { name: 'stats' }, subscriptions: [{ event: orders.events.changed }] },
]);
const pipelines: MeasuredPipeline[] = [];

async function add(open: (ledger: Ledger) => Pipeline | Promise<Pipeline>): Promise<void> {
  const measured = new MeasuredPipeline();
  measured.pipeline = await open(measured.ledger);
  pipelines.push(measured);
}

function row({ pipeline, delays }: MeasuredPipeline): string {
  const [p50, p99] = (['p50', 'p99'] as const).map((which) => {
    const sorted = delays.map((each) => each[which]).sort((a, b) => a - b);
    const [low, median, high] = [0, sorted.length >> 1, sorted.length - 1].map((at) => sorted[at]!.toFixed(1));
    return `${median!.padStart(7)} ms (${low}–${high})`.padEnd(26);
  });
  return `  ${pipeline.name.padEnd(8)} p50 ${p50} p99 ${p99}`.trimEnd();
}

try {
  await add((ledger) => openNaive(folder, ledger));
  for (const bus of ['mitt', 'http', ...(await brokersThatAnswer())]) {
    const carrier = await carryBy(bus, subscriptions);
    await add((ledger) => openPipeline(carrier, folder, ledger));
  }
  await compare({
    title: `Events from commit to effect, durable at both ends, ${writers} writers at a time`,
    times: 10_000,
    rounds: 5,
    contestants: pipelines.map((measured) => ({ name: measured.pipeline.name, run: (times) => measured.run(times) })),
  });
  for (let round = 0; round < delayRounds; round++) {
    for (const measured of pipelines) measured.delays.push(await delayAt(1_000, 2, measured));
  }
  console.log('\nFrom commit to effect, at 1,000 events a second');
  for (const measured of pipelines) console.log(row(measured));
  for (const { pipeline } of pipelines) await pipeline.close();
  const { rss } = process.memoryUsage();
  console.log(`\n  resident ${Math.round(rss / 1e6)} MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// A broker client may keep the process alive until its answer timeout.
process.exit();
