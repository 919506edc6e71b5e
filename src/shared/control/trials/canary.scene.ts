import { canarySchema } from '../admin-contract/index.ts';
import { CallStatistics } from '../relocation/index.ts';
import { sharesOf, verdictOf } from './canary.ts';

/** The calls to some replicas: their median time, its spread (log-normal), and the share of failures. */
export interface Calls {
  readonly medianMs: number;
  readonly spread: number;
  readonly failures: number;
}

export interface World {
  readonly current: Calls;
  readonly candidate: Calls;
  /** Periods in which calls on both sides take longer. */
  readonly stalls?: { readonly everyCalls: number; readonly lastMs: number; readonly factor: number };
}

const callsPerSecond = 40;
const lookMs = 2_000;
const canary = canarySchema.parse({ share: 0.25 });

/** Simulates a whole canary, as the move runs it, in simulated time. Returns its result and the number of calls to the new replicas. */
export function tryOut(seed: number, world: World): { state: string; calls: number } {
  const traffic = new Traffic(seed, world);
  for (const share of sharesOf(canary)) {
    let startedAt = traffic.now;
    let second = false;
    traffic.recount();
    for (;;) {
      traffic.pass(lookMs, share);
      const { state } = verdictOf({ ...traffic.sides, alike: true }, canary, traffic.now - startedAt);
      if (state === 'well') break;
      if (state === 'slow' && !second) {
        [second, startedAt] = [true, traffic.now];
        traffic.recount();
      } else if (state !== 'open') return { state, calls: traffic.calls };
    }
  }
  return { state: 'well', calls: traffic.calls };
}

class Traffic {
  now = 0;
  /** The number of calls to the new replicas. */
  calls = 0;
  sides = { candidate: new CallStatistics(), current: new CallStatistics() };
  #stalledUntil = 0;
  readonly #draw: () => number;
  private readonly world: World;

  constructor(seed: number, world: World) {
    this.world = world;
    this.#draw = draws(seed);
  }

  recount(): void {
    this.sides = { candidate: new CallStatistics(), current: new CallStatistics() };
  }

  pass(ms: number, share: number): void {
    for (const until = this.now + ms; this.now < until; this.now += 1_000 / callsPerSecond) this.#call(share);
  }

  #call(share: number): void {
    const side = this.#draw() < share ? 'candidate' : 'current';
    if (side === 'candidate') this.calls += 1;
    const { medianMs, spread, failures } = this.world[side];
    const normal = Math.sqrt(-2 * Math.log(1 - this.#draw())) * Math.cos(2 * Math.PI * this.#draw());
    this.sides[side].add(medianMs * Math.exp(spread * normal) * this.#stall(), this.#draw() < failures);
  }

  #stall(): number {
    const { stalls } = this.world;
    if (!stalls) return 1;
    if (this.#draw() < 1 / stalls.everyCalls) this.#stalledUntil = this.now + stalls.lastMs;
    return this.now < this.#stalledUntil ? stalls.factor : 1;
  }
}

/** Returns a generator of numbers from 0 to below 1, the same for the same seed (mulberry32). */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
