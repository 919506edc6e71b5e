import { afterEach, describe, expect, it } from 'vitest';
import { currentContext, runInContext } from '../context/index.ts';
import { CountingClock, Ear, macrotask, Notes } from './discovery.cases.ts';
import { PolledAddresses, type Sighting } from './polled-addresses.ts';

const sighting = (address: string, ttlMs = 20_000, priority = 0): Sighting => ({ address, ttlMs, priority });
const [a, b, c] = [sighting('http://a:1'), sighting('http://b:1'), sighting('http://c:1')];

/** A source whose answers the test gives, one by one. */
class Scripted {
  readonly name = 'a script';
  asked = 0;
  /** The request context of each question. */
  readonly askedIn: unknown[] = [];
  cancelled = 0;
  #settle: { resolve: (sightings: readonly Sighting[]) => void; reject: (error: Error) => void } | undefined;

  ask(): Promise<readonly Sighting[]> {
    if (this.#settle) throw new Error('asked twice at a time');
    this.asked += 1;
    this.askedIn.push(currentContext());
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  cancel(): void {
    this.cancelled += 1;
  }

  async answer(...sightings: Sighting[]): Promise<void> {
    const { resolve } = this.#settle!;
    this.#settle = undefined;
    resolve(sightings);
    await macrotask();
  }

  async fail(why = 'no answer'): Promise<void> {
    const { reject } = this.#settle!;
    this.#settle = undefined;
    reject(new Error(why));
    await macrotask();
  }
}

describe('a polled source', () => {
  const open = () => {
    const [source, clock, notes, ear] = [new Scripted(), new CountingClock(), new Notes(), new Ear()];
    const discovery = new PolledAddresses(source, clock, notes.log);
    discovery.watch(ear.hear);
    return { source, clock, notes, ear, discovery, last: () => ear.heard.at(-1) };
  };
  let opened: ReturnType<typeof open>;
  const start = () => {
    opened = open();
    return opened;
  };
  afterEach(() => opened.discovery.stop());

  it('is polled again when its first address expires, and not before', async () => {
    const { source, clock, ear } = start();
    await source.answer(a, sighting('http://b:1', 7_000));
    clock.advance(6_999);
    expect(source.asked).toBe(1);
    clock.advance(1);
    expect(source.asked).toBe(2);
    await source.answer(c);
    expect(ear.heard).toEqual([['http://a:1', 'http://b:1'], ['http://c:1']]);
  });

  it('is polled outside every request, also after a request reports a dead address', async () => {
    const { source, clock, discovery } = start();
    await source.answer(a, b);
    clock.advance(1_000);
    runInContext({ requestId: 'r1', caller: 'gateway', deadline: 0 }, () => discovery.dead(a.address));
    expect(source.askedIn).toEqual([undefined, undefined]);
  });

  it('is retried after 1 s, 2 s, 4 s … 30 s while it fails, and polled normally after a success', async () => {
    const { source, clock, notes, ear } = start();
    await source.answer(a);
    clock.advance(20_000);
    const pauses: number[] = [];
    for (let times = 0; times < 8; times++) {
      await source.fail();
      pauses.push(clock.nextMs);
      clock.advance(clock.nextMs);
    }
    expect(pauses.map((ms) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    await source.answer(a);
    expect(clock.nextMs).toBe(20_000);
    expect(ear.heard).toEqual([['http://a:1']]);
    expect(notes.lines).toEqual([
      'warn: a source gives no addresses; those before are kept: no answer; see that it runs and can be reached from here',
      'info: the source of addresses answers again',
    ]);
  });

  it('may report an empty list at first, but not later', async () => {
    const { source, clock, ear } = start();
    await source.fail();
    expect(ear.heard).toEqual([]);
    clock.advance(1_000);
    await source.answer();
    expect(ear.heard).toEqual([[]]);
    clock.advance(2_000);
    await source.answer(a);
    clock.advance(20_000);
    await source.answer();
    expect(ear.heard).toEqual([[], ['http://a:1']]);
  });

  it('does not restore a dead address by listing it before its TTL and 5 s have passed, however often it fails', async () => {
    const { source, clock, discovery, last } = start();
    await source.answer(a, b);
    clock.advance(4_000);
    discovery.dead(a.address);
    expect(last()).toEqual([b.address]);
    expect(source.asked).toBe(2);
    await source.answer(a, b);
    clock.advance(10_000);
    discovery.dead(a.address);
    await source.answer(a, b);
    clock.advance(5_999);
    expect(last()).toEqual([b.address]);
    clock.advance(1);
    expect(last()).toEqual([a.address, b.address]);
  });

  it('hides a dead address for at least 5 s, also with a shorter TTL', async () => {
    const { source, clock, discovery, last } = start();
    const short = [sighting(a.address, 2_000), sighting(b.address, 2_000)];
    await source.answer(...short);
    discovery.dead(a.address);
    for (let seconds = 0; seconds < 4; seconds += 2) {
      await source.answer(...short);
      clock.advance(2_000);
    }
    await source.answer(...short);
    clock.advance(999);
    expect(last()).toEqual([b.address]);
    clock.advance(1);
    expect(last()).toEqual([a.address, b.address]);
  });

  it('is polled before a dead address is reported again', async () => {
    const { source, clock, discovery, ear } = start();
    await source.answer(a, b);
    clock.advance(15_000);
    discovery.dead(a.address);
    await source.answer(sighting(a.address, 5_000), b);
    clock.advance(5_000);
    await source.answer(b);
    expect(ear.heard).toEqual([[a.address, b.address], [b.address]]);
  });

  it('is polled immediately after a dead address, but at most once a second', async () => {
    const { source, clock, discovery } = start();
    await source.answer(a, b, c);
    discovery.dead(a.address);
    expect(source.asked).toBe(2);
    discovery.dead(b.address);
    await source.answer(a, b, c);
    discovery.dead(a.address);
    clock.advance(999);
    expect(source.asked).toBe(2);
    clock.advance(1);
    expect(source.asked).toBe(3);
    await source.answer(a, b, c);
    clock.advance(5_000);
    expect(source.asked).toBe(3);
  });

  it('is polled once more when an address fails during a poll', async () => {
    const { source, clock, discovery } = start();
    await source.answer(a, b);
    clock.advance(20_000);
    discovery.dead(a.address);
    expect(source.asked).toBe(2);
    await source.answer(a, b);
    expect(source.asked).toBe(3);
  });

  it('provides the addresses of the lowest priority, and the next priority when those are dead', async () => {
    const { source, discovery, last } = start();
    await source.answer(
      sighting(c.address, 20_000, 20),
      sighting(a.address, 20_000, 10),
      sighting(b.address, 20_000, 10),
    );
    expect(last()).toEqual([a.address, b.address]);
    discovery.dead(a.address);
    discovery.dead(b.address);
    expect(last()).toEqual([c.address]);
    discovery.dead(c.address);
    expect(last()).toEqual([a.address, b.address, c.address]);
  });

  it('is ignored when it answers after the stop', async () => {
    const { source, clock, discovery, ear, notes } = start();
    await source.answer(a);
    clock.advance(20_000);
    discovery.stop();
    expect(source.cancelled).toBe(1);
    await source.fail();
    expect(ear.heard).toEqual([[a.address]]);
    expect(notes.lines).toEqual([]);
    expect(clock.waiting.size).toBe(0);
  });
});
