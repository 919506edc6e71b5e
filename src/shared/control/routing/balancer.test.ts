import { beforeEach, describe, expect, it } from 'vitest';
import type { Link } from '../../kernel/calls/index.ts';
import { CountingClock, macrotask, Notes } from '../../kernel/ports/discovery.cases.ts';
import type { Discovery } from '../../kernel/ports/index.ts';
import { PolledAddresses } from '../../kernel/ports/index.ts';
import { Balancer } from './balancer.ts';
import { LiveAddresses } from './live-addresses.ts';
import type { UpstreamInstance } from './upstream-instance.ts';

const breaker = { failureShare: 0.5, minimumCalls: 20, windowMs: 10_000, openMs: 1_000 };
const [a, b, c] = ['http://a:1', 'http://b:1', 'http://c:1'] as const;

/** Records each report of a dead address. */
class Listed extends LiveAddresses {
  override dead(address: string): void {
    happened.push(`dead ${address}`);
  }
}

/** Fires its timers a millisecond early, as the system's timers sometimes do. */
class HastyClock extends CountingClock {
  override after(delayMs: number, task: () => void): () => void {
    return super.after(delayMs > 1 ? delayMs - 1 : delayMs, task);
  }
}

/** Returns a source of the same numbers in each run, evenly distributed from 0 to below 1. */
function seeded(seed = 7): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

let clock: CountingClock;
let listed: Listed;
let balancer: Balancer;
let notes: Notes;
let happened: string[];
/** The addresses that do not answer a ping. */
let down: Set<string>;
let addressOf: Map<Link, string>;
let leave: Map<string, () => void>;

beforeEach(() => {
  clock = new CountingClock();
  listed = new Listed();
  notes = new Notes();
  happened = [];
  down = new Set();
  addressOf = new Map();
  leave = new Map();
  balancer = open(listed);
});

function open(discovery: Discovery, random = seeded()): Balancer {
  return new Balancer({
    ...{ module: 'payments', discovery, clock, random, breaker, log: notes.log },
    connect: (address, onLeaving) => {
      const close = async () => void happened.push(`closed ${address}`);
      const link: Link = { call: () => Promise.resolve(), close };
      addressOf.set(link, address);
      leave.set(address, onLeaving);
      return link;
    },
    ping: async (link) => {
      const address = addressOf.get(link)!;
      happened.push(`ping ${address}`);
      if (down.has(address)) throw new Error('no answer');
    },
    onReachable: () => happened.push('reachable'),
  });
}

const instance = (address: string): UpstreamInstance => balancer.instances.find((each) => each.address === address)!;
const addresses = () => balancer.instances.map(({ address }) => address);
const eject = (address: string) => {
  const { breaker } = instance(address);
  for (let times = 0; times < 5; times++) breaker.failed(breaker.admits(), 'unreachable');
};
/** Returns the addresses chosen in many choices. */
const chosen = (tried?: ReadonlySet<UpstreamInstance>) =>
  [...new Set(Array.from({ length: 100 }, () => balancer.pick(tried)?.address))].sort();
/** Returns the events since its last call. */
const since = () => happened.splice(0);
const pass = async (ms: number) => {
  clock.advance(ms);
  await macrotask();
};

describe('the choice of an instance', () => {
  /** Returns the number of calls per instance. One call starts in each step, and lasts as many steps as its instance takes. */
  function shares(takes: Readonly<Record<string, number>>, calls: number): Record<string, number> {
    listed.set(Object.keys(takes));
    const got = Object.fromEntries(Object.keys(takes).map((address) => [address, 0]));
    const ends = new Map<number, UpstreamInstance[]>();
    for (let step = 0; step < calls; step++) {
      for (const done of ends.get(step) ?? []) done.inFlight -= 1;
      const one = balancer.pick()!;
      one.inFlight += 1;
      got[one.address]! += 1;
      const end = step + takes[one.address]!;
      ends.set(end, [...(ends.get(end) ?? []), one]);
    }
    return got;
  }

  it('gives equal instances equal shares', () => {
    const got = Object.values(shares({ [a]: 10, [b]: 10, [c]: 10, 'http://d:1': 10 }, 4_000));
    expect(Math.max(...got)).toBeLessThan(1_100);
    expect(Math.min(...got)).toBeGreaterThan(900);
  });

  it('gives equal instances equal shares also without calls in flight', () => {
    const got = Object.values(shares({ [a]: 1, [b]: 1, [c]: 1 }, 3_000));
    expect(Math.max(...got)).toBeLessThan(1_100);
  });

  it('gives a slow instance fewer calls', () => {
    const got = shares({ [a]: 4, [b]: 4, [c]: 40 }, 3_000);
    expect(got[c]).toBeLessThan(400);
    expect(got[a]! / got[b]!).toBeCloseTo(1, 0);
  });

  it('is undefined without an available instance', () => {
    expect(balancer.pick()).toBeUndefined();
    listed.set([a]);
    eject(a);
    expect(balancer.pick()).toBeUndefined();
  });

  it('prefers an instance that was not tried and is not stopping', () => {
    listed.set([a, b, c]);
    expect(chosen()).toEqual([a, b, c]);
    expect(chosen(new Set([instance(a)]))).toEqual([b, c]);
    leave.get(b)!();
    expect(chosen()).toEqual([a, c]);
    expect(chosen(new Set([instance(a)]))).toEqual([c]);
    expect(chosen(new Set([instance(a), instance(c)]))).toEqual([b]);
    expect(chosen(new Set(balancer.instances))).toEqual([a, c]);
  });

  it('is a stopping instance when all are stopping', () => {
    listed.set([a, b]);
    leave.get(a)!();
    leave.get(b)!();
    expect(chosen()).toEqual([a, b]);
  });

  it('treats an instance as stopping for 1 s after its last notice, since a new one may replace it', () => {
    listed.set([a, b]);
    leave.get(a)!();
    clock.advance(600);
    leave.get(a)!();
    clock.advance(999);
    expect(chosen()).toEqual([b]);
    clock.advance(1);
    expect(chosen()).toEqual([a, b]);
  });
});

describe('an instance that fails', () => {
  beforeEach(() => {
    listed.set([a, b]);
    since();
  });

  it('is reported as dead, ejected, and back after two pings', async () => {
    eject(a);
    expect([since(), chosen()]).toEqual([[`dead ${a}`], [b]]);
    await pass(999);
    expect([since(), chosen()]).toEqual([[], [b]]);
    await pass(1);
    expect([since(), chosen()]).toEqual([
      [`ping ${a}`, `ping ${a}`, 'reachable'],
      [a, b],
    ]);
  });

  it('is ejected with the root cause of its latest failure in the log', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:4105');
    balancer.failed(instance(a), new Error('an older failure'));
    balancer.failed(instance(a), new Error('payments is not to be reached', { cause }));
    eject(a);
    expect(notes.lines).toEqual([`warn: an instance fails and is left out: ${cause.message}`]);
  });

  it('is pinged every two seconds while it does not answer', async () => {
    down.add(a);
    eject(a);
    since();
    for (const waitMs of [1_000, 2_000, 2_000, 2_000]) {
      await pass(waitMs - 1);
      expect(since()).toEqual([]);
      await pass(1);
      expect(since()[0]).toBe(`ping ${a}`);
    }
    down.clear();
    await pass(2_000);
    expect([since(), chosen()]).toEqual([
      [`ping ${a}`, `ping ${a}`, 'reachable'],
      [a, b],
    ]);
  });

  it('is not reachable while it is ejected, and `reachable` pings it to bring it back', async () => {
    listed.set([a]);
    down.add(a);
    eject(a);
    since();
    expect([await balancer.reachable(), since(), chosen()]).toEqual([false, [`ping ${a}`, `dead ${a}`], [undefined]]);
    down.clear();
    expect([await balancer.reachable(), since(), chosen()]).toEqual([
      true,
      [`ping ${a}`, `ping ${a}`, 'reachable'],
      [a],
    ]);
    await pass(5_000);
    expect(since()).toEqual([]);
  });

  it('is pinged also when the timer fires early', async () => {
    clock = new HastyClock();
    balancer = open(listed);
    eject(a);
    since();
    await pass(999);
    await pass(10);
    expect([since(), chosen()]).toEqual([
      [`ping ${a}`, `ping ${a}`, 'reachable'],
      [a, b],
    ]);
  });

  it('comes back after a ping also when it was unlisted meanwhile', async () => {
    eject(a);
    listed.set([b]);
    await pass(5_000);
    down.add(a);
    since();
    listed.set([a, b]);
    expect([since(), chosen()]).toEqual([[], [b]]);
    await pass(0);
    expect([since(), chosen()]).toEqual([[`ping ${a}`, `dead ${a}`], [b]]);
    down.clear();
    await pass(2_000);
    expect([since(), chosen()]).toEqual([
      [`ping ${a}`, `ping ${a}`, 'reachable'],
      [a, b],
    ]);
  });

  it('is removed by a discovery that hides dead addresses, and comes back after a ping', async () => {
    const sightings = [a, b].map((address) => ({ address, ttlMs: 60_000, priority: 0 }));
    const source = { name: 'a registry', ask: async () => sightings, cancel() {} };
    balancer = open(new PolledAddresses(source, clock, new Notes().log));
    await macrotask();
    eject(a);
    await macrotask();
    expect(addresses()).toEqual([b]);
    down.add(a);
    await pass(60_000);
    expect([addresses(), chosen()]).toEqual([[b, a], [b]]);
    await pass(0);
    expect([addresses(), chosen()]).toEqual([[b], [b]]);
    down.clear();
    await pass(60_000);
    await pass(0);
    expect([addresses(), chosen()]).toEqual([
      [b, a],
      [a, b],
    ]);
  });

  it('is still pinged when all instances have failed', async () => {
    eject(a);
    eject(b);
    expect(balancer.pick()).toBeUndefined();
    await pass(1_000);
    expect(chosen()).toEqual([a, b]);
  });
});

describe('a listed address', () => {
  it('joins immediately, and makes the module reachable', () => {
    expect([since(), chosen()]).toEqual([[], [undefined]]);
    listed.set([a]);
    expect([since(), chosen()]).toEqual([['reachable'], [a]]);
    listed.set([a, b]);
    expect([since(), chosen()]).toEqual([['reachable'], [a, b]]);
  });

  it('keeps the state of an instance that stays listed', () => {
    listed.set([a, b]);
    const before = instance(a);
    listed.set([a, c]);
    expect(instance(a)).toBe(before);
  });

  it('is closed when it is no longer listed: immediately when idle, otherwise after its answers', async () => {
    listed.set([a, b]);
    const busy = instance(b);
    busy.inFlight = 1;
    since();
    listed.set([]);
    await macrotask();
    expect([since(), chosen()]).toEqual([[`closed ${a}`], [undefined]]);
    await pass(60_000);
    expect(since()).toEqual([]);
    let drained = false;
    void balancer.drained().then(() => {
      drained = true;
    });
    await macrotask();
    expect(drained).toBe(false);
    balancer.answered(busy);
    await macrotask();
    expect([since(), clock.waiting.size, drained]).toEqual([[`closed ${b}`], 0, true]);
    await balancer.drained();
  });

  it('ignores failures of an earlier instance at the same address', async () => {
    listed.set([a, b]);
    const old = instance(a);
    old.inFlight = 1;
    listed.set([b]);
    listed.set([a, b]);
    since();
    for (let times = 0; times < 5; times++) old.breaker.failed(old.breaker.admits(), 'unreachable');
    await pass(10_000);
    expect([since(), chosen()]).toEqual([[], [a, b]]);
  });
});

describe('a closed balancer', () => {
  it('closes all instances, also with calls in flight, and leaves no timer', async () => {
    listed.set([a, b, c]);
    eject(a);
    instance(b).inFlight = 1;
    listed.set([a, c]);
    leave.get(c)!();
    since();
    await balancer.close();
    expect(since().sort()).toEqual([`closed ${a}`, `closed ${b}`, `closed ${c}`]);
    expect([clock.waiting.size, chosen()]).toEqual([0, [undefined]]);
    listed.set([b]);
    await pass(60_000);
    expect([since(), balancer.instances]).toEqual([[], []]);
  });

  it('ignores the result of a probe in flight', async () => {
    listed.set([a]);
    eject(a);
    clock.advance(1_000);
    since();
    await balancer.close();
    await pass(60_000);
    expect([since(), clock.waiting.size]).toEqual([[`closed ${a}`], 0]);
  });

  it('closes the other instances when one fails to close', async () => {
    const discovery = new LiveAddresses();
    const close = async () => {
      throw new Error('broken');
    };
    balancer = new Balancer({
      ...{ module: 'payments', discovery, clock, random: () => 0, breaker, log: new Notes().log },
      connect: () => ({ call: () => Promise.resolve(), close }),
      ping: () => Promise.resolve(),
      onReachable() {},
    });
    discovery.set([a, b]);
    discovery.set([b]);
    await expect(balancer.close()).resolves.toBeUndefined();
  });
});
