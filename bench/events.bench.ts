import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { subscriptionMap } from '../src/shared/kernel/events/index.ts';
import { compare, concurrently } from './compare.ts';
import { brokersThatAnswer, carryBy } from './events/carriers.ts';
import { type Delay, delayAt } from './events/delay.ts';
import { openWay } from './events/kerf.ts';
import { openNaive } from './events/naive.ts';
import { change, Ledger, orders, type Way } from './events/way.ts';

const writers = 500;
const delayRounds = 3;

/** A way with its own event counter. */
class Course {
  readonly ledger = new Ledger();
  way!: Way;
  readonly delays: Delay[] = [];
  #published = 0;
  readonly next = () => this.#published++;

  async run(times: number): Promise<void> {
    const all = this.ledger.expect(times);
    await concurrently(times, writers, () => this.way.publish(change(this.next())));
    await all;
  }
}

const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench-'));
const subscriptions = subscriptionMap([
  { contract: { name: 'stats' }, subscriptions: [{ event: orders.events.changed }] },
]);
const courses: Course[] = [];

async function enter(open: (ledger: Ledger) => Way | Promise<Way>): Promise<void> {
  const course = new Course();
  course.way = await open(course.ledger);
  courses.push(course);
}

function row({ way, delays }: Course): string {
  const [p50, p99] = (['p50', 'p99'] as const).map((which) => {
    const sorted = delays.map((each) => each[which]).sort((a, b) => a - b);
    const [low, median, high] = [0, sorted.length >> 1, sorted.length - 1].map((at) => sorted[at]!.toFixed(1));
    return `${median!.padStart(7)} ms (${low}–${high})`.padEnd(26);
  });
  return `  ${way.name.padEnd(8)} p50 ${p50} p99 ${p99}`.trimEnd();
}

try {
  await enter((ledger) => openNaive(folder, ledger));
  for (const bus of ['mitt', 'http', ...(await brokersThatAnswer())]) {
    const carrier = await carryBy(bus, subscriptions);
    await enter((ledger) => openWay(carrier, folder, ledger));
  }
  await compare({
    title: `Events committed and effected, durable at both ends, ${writers} writers at a time`,
    times: 10_000,
    rounds: 5,
    contestants: courses.map((course) => ({ name: course.way.name, run: (times) => course.run(times) })),
  });
  for (let round = 0; round < delayRounds; round++) {
    for (const course of courses) course.delays.push(await delayAt(1_000, 2, course));
  }
  console.log('\nFrom commit to effect, at 1,000 events a second');
  for (const course of courses) console.log(row(course));
  for (const { way } of courses) await way.close();
  const { rss } = process.memoryUsage();
  console.log(`\n  resident ${Math.round(rss / 1e6)} MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// A broker client may keep the process alive until its answer timeout.
process.exit();
