import { afterEach, describe, expect, it } from 'vitest';
import { currentContext, runInContext } from '../../context/index.ts';
import { AskedAddresses, type Sighting } from './asked.ts';
import { CountingClock, Ear, macrotask, Notes } from './discovery.cases.ts';

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

describe('a source that is asked', () => {
  const open = () => {
    const [source, clock, notes, ear] = [new Scripted(), new CountingClock(), new Notes(), new Ear()];
    const discovery = new AskedAddresses(source, clock, notes.log);
    discovery.watch(ear.hear);
    return { source, clock, notes, ear, discovery, last: () => ear.heard.at(-1) };
  };
  let opened: ReturnType<typeof open>;
  const start = () => {
    opened = open();
    return opened;
  };
  afterEach(() => opened.discovery.stop());

  it('is asked again when the first of its answers is over, and not before', async () => {
    const { source, clock, ear } = start();
    await source.answer(a, sighting('http://b:1', 7_000));
    clock.advance(6_999);
    expect(source.asked).toBe(1);
    clock.advance(1);
    expect(source.asked).toBe(2);
    await source.answer(c);
    expect(ear.heard).toEqual([['http://a:1', 'http://b:1'], ['http://c:1']]);
  });

  it('is asked in nobody’s request, whoever says that an address is dead', async () => {
    const { source, clock, discovery } = start();
    await source.answer(a, b);
    clock.advance(1_000);
    runInContext({ requestId: 'r1', caller: 'gateway', deadline: 0 }, () => discovery.dead(a.address));
    expect(source.askedIn).toEqual([undefined, undefined]);
  });

  it('is asked after 1 s, 2 s, 4 s … 30 s while it fails, and by its times again when it answers', async () => {
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

  it('is believed at first when it knows of none, and not later', async () => {
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

  it('does not bring a dead address back by listing it, until its time and 5 s are over, however often it dies', async () => {
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

  it('keeps a dead address away for 5 s where its time is over sooner', async () => {
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

  it('has its say before what was dead is told again', async () => {
    const { source, clock, discovery, ear } = start();
    await source.answer(a, b);
    clock.advance(15_000);
    discovery.dead(a.address);
    await source.answer(sighting(a.address, 5_000), b);
    clock.advance(5_000);
    await source.answer(b);
    expect(ear.heard).toEqual([[a.address, b.address], [b.address]]);
  });

  it('is asked at once for a dead address, and no more than once a second for many', async () => {
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

  it('is asked once more when an address dies while it is being asked', async () => {
    const { source, clock, discovery } = start();
    await source.answer(a, b);
    clock.advance(20_000);
    discovery.dead(a.address);
    expect(source.asked).toBe(2);
    await source.answer(a, b);
    expect(source.asked).toBe(3);
  });

  it('is taken by its lowest priority, and by the next when that is dead', async () => {
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

  it('is not heard when it answers after the stop', async () => {
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
