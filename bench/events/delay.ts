import { setTimeout as sleep } from 'node:timers/promises';
import { change, type Ledger, type Pipeline } from './pipeline.ts';

export interface Delay {
  readonly p50: number;
  readonly p99: number;
}

/** Publishes `perSecond` events on a fixed schedule. Returns their delay from commit to effect. */
export async function delayAt(
  perSecond: number,
  seconds: number,
  { pipeline, ledger, next }: { pipeline: Pipeline; ledger: Ledger; next: () => number },
): Promise<Delay> {
  const events = perSecond * seconds;
  const all = ledger.expect(events);
  ledger.delaysMs.length = 0;
  const start = performance.now();
  for (let published = 0; published < events; await sleep(1)) {
    const due = Math.min(events, ((performance.now() - start) / 1_000) * perSecond);
    for (; published < due; published++) void pipeline.publish(change(next()));
  }
  await all;
  const sorted = ledger.delaysMs.toSorted((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length * 0.5)]!, p99: sorted[Math.floor(sorted.length * 0.99)]! };
}
