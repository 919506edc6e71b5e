import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../context/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { Discovery } from './discovery.ts';

/** A discovery under test, and its environment. */
export interface OpenDiscovery {
  readonly discovery: Discovery;
  readonly clock: CountingClock;
  /** Counts the system resources that the discovery holds besides timers. Absent when it holds none or they cannot be counted. */
  openResources?(): number;
  close?(): void | Promise<void>;
}

export interface OpenChanging extends OpenDiscovery {
  /** Makes the source list these addresses from now on, and gives the discovery a reason to look. */
  change(addresses: readonly string[]): void;
  /** Makes the source absent or its answers invalid. Resolves when the discovery has noticed. */
  fail(): Promise<void>;
}

const [five, six, seven] = ['http://10.0.0.5:4105', 'http://10.0.0.6:4105', 'http://10.0.0.7:4105'] as const;

/** Tests the duties of every discovery. `open` opens it where the given addresses exist. */
export function discoveryCases(name: string, open: (addresses: readonly string[]) => Promise<OpenDiscovery>): void {
  describe(`the addresses of ${name}`, () => {
    let opened: OpenDiscovery;
    let ear: Ear;
    const start = async (...addresses: string[]) => {
      opened = await open(addresses);
      ear = new Ear();
      opened.discovery.watch(ear.hear);
    };
    afterEach(async () => {
      opened.discovery.stop();
      await opened.close?.();
    });

    it('are reported in order and without duplicates', async () => {
      await start(seven, five, six, five);
      await ear.until([five, six, seven]);
      expect(ear.heard).toEqual([[five, six, seven]]);
    });

    it('are all reported when all are dead', async () => {
      await start(five, six);
      await ear.until([five, six]);
      opened.discovery.dead(five);
      opened.discovery.dead(six);
      expect(ear.heard.at(-1)).toEqual([five, six]);
    });

    it('do not change when an unlisted address is dead', async () => {
      await start(five);
      await ear.until([five]);
      opened.discovery.dead(six);
      expect(ear.heard).toEqual([[five]]);
    });

    it('are not reported after the stop, which releases all resources', async () => {
      await start(five, six);
      await ear.until([five, six]);
      opened.discovery.dead(six);
      const before = ear.heard.length;
      opened.discovery.stop();
      opened.discovery.stop();
      opened.discovery.dead(five);
      opened.clock.advance(3_600_000);
      expect(opened.clock.waiting.size).toBe(0);
      await macrotask();
      expect(opened.openResources?.() ?? 0).toBe(0);
      expect(ear.heard.length).toBe(before);
    });

    it('may be stopped by a listener', async () => {
      opened = await open([five]);
      await new Promise<void>((resolve) => {
        opened.discovery.watch(() => {
          opened.discovery.stop();
          resolve();
        });
      });
      expect(opened.clock.waiting.size).toBe(0);
    });
  });
}

/** Tests the duties of every discovery that follows an outside source. */
export function changingCases(name: string, open: (addresses: readonly string[]) => Promise<OpenChanging>): void {
  discoveryCases(name, open);

  describe(`changes of ${name}`, () => {
    let opened: OpenChanging;
    let ear: Ear;
    const start = async (...addresses: string[]) => {
      opened = await open(addresses);
      ear = new Ear();
      opened.discovery.watch(ear.hear);
    };
    afterEach(async () => {
      opened.discovery.stop();
      await opened.close?.();
    });

    it('are reported, and equal lists are not', async () => {
      await start(five, six);
      await ear.until([five, six]);
      opened.change([six, five]);
      await opened.fail();
      opened.change([six, seven]);
      await ear.until([six, seven]);
      expect(ear.heard).toEqual([
        [five, six],
        [six, seven],
      ]);
    });

    it('keep the known addresses while the source is unavailable', async () => {
      await start(five, six);
      await ear.until([five, six]);
      await opened.fail();
      expect(ear.heard).toEqual([[five, six]]);
      opened.change([five]);
      await ear.until([five]);
    });
  });
}

/** Listens to a discovery and records its reports in order. */
export class Ear {
  readonly heard: (readonly string[])[] = [];
  #waiting: { addresses: string; resolve: () => void }[] = [];

  readonly hear = (addresses: readonly string[]): void => {
    this.heard.push(addresses);
    for (const { addresses: wanted, resolve } of this.#waiting) if (wanted === `${addresses}`) resolve();
  };

  /** Resolves as soon as the last report equals `addresses`. */
  async until(addresses: readonly string[]): Promise<void> {
    const last = this.heard.at(-1);
    if (last && `${last}` === `${addresses}`) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ addresses: `${addresses}`, resolve });
    });
  }
}

/** A manual clock that knows its waiting tasks. */
export class CountingClock extends ManualClock {
  /** Each pending task → when it is due. */
  readonly waiting = new Map<() => void, number>();

  override after(delayMs: number, task: () => void): () => void {
    const counted = () => {
      this.waiting.delete(counted);
      task();
    };
    this.waiting.set(counted, this.now() + delayMs);
    const cancel = super.after(delayMs, counted);
    return () => {
      this.waiting.delete(counted);
      cancel();
    };
  }

  /** How long until the next task is due. */
  get nextMs(): number {
    return Math.min(...this.waiting.values()) - this.now();
  }
}

/** Records log lines, and lets a test wait for one. */
export class Notes {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];

  readonly log = {
    debug: () => {},
    error: () => {},
    info: (_: object, text: string) => this.#note(`info: ${text}`),
    warn: ({ why }: { why: string }, text: string) => this.#note(`warn: ${text}: ${why}`),
  } as unknown as Log;

  /** Resolves at the next line. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #note(line: string): void {
    this.lines.push(line);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Lets all pending work of this process run. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
