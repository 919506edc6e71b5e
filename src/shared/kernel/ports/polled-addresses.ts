import { background, type Cancel, type Clock } from '../context/index.ts';
import { messageOf } from '../errors/index.ts';
import type { Log } from '../telemetry/index.ts';
import { type Discovery, LastAddresses, type Listener } from './discovery.ts';

/** A source of addresses that is polled and whose answers have a TTL: DNS, or a registry. */
export interface Source {
  /** For the log, such as `dns payments.internal`. */
  readonly name: string;
  /** Resolves with the known instances, if any. Rejects when the source does not answer. Never called concurrently. */
  ask(): Promise<readonly Sighting[]>;
  /** Cancels the question in flight. */
  cancel(): void;
}

export interface Sighting {
  readonly address: string;
  /** How long this address is valid, more than 0. The shortest TTL of an answer decides when to ask the source again. */
  readonly ttlMs: number;
  /** The listener receives only the lowest priority that has a live address. */
  readonly priority: number;
}

type Believed = Sighting & { readonly until: number };

/** Minimum time that a failed address stays hidden, even if the source still lists it. */
const deadMs = 5_000;
/** Minimum time between two early questions after a failed address. */
const hurryMs = 1_000;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

/**
 * Polls a source of addresses. It asks again when the TTL of an answer ends. When the source fails or lists no instance, it keeps
 * the known addresses and asks again after 1 s, 2 s, 4 s … 30 s.
 *
 * It hides a failed address until its TTL ends, for at least 5 s, even if the source still lists it. When all addresses have
 * failed, it reports them all: the source may be right, and the network may be broken.
 */
export class PolledAddresses implements Discovery {
  #told: LastAddresses | undefined;
  #known: readonly Believed[] | undefined;
  /** Maps a failed address to the time until which it stays hidden. */
  readonly #dead = new Map<string, number>();
  #asking = false;
  #askAt = 0;
  #hurry = false;
  #hurriedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #trouble: string | undefined;
  #cancelWake: Cancel = () => {};
  private readonly source: Source;
  private readonly clock: Clock;
  private readonly log: Log;

  constructor(source: Source, clock: Clock, log: Log) {
    this.source = source;
    this.clock = clock;
    this.log = log;
  }

  watch(listener: Listener): void {
    this.#told = new LastAddresses(listener);
    this.#step();
  }

  dead(address: string): void {
    const known = this.#known?.find((each) => each.address === address);
    if (!known) return;
    if (!this.#dead.has(address)) this.#dead.set(address, Math.max(known.until, this.clock.now() + deadMs));
    this.#hurry = true;
    this.#tell();
    this.#step();
  }

  stop(): void {
    this.#told = undefined;
    this.#cancelWake();
    this.source.cancel();
  }

  /** Does all due work and sets the timer for the next. */
  #step(): void {
    this.#cancelWake();
    if (!this.#told) return;
    const now = this.clock.now();
    for (const [address, until] of this.#dead) if (until <= now) this.#dead.delete(address);
    const askAt = this.#hurry ? Math.min(this.#askAt, this.#hurriedAt + hurryMs) : this.#askAt;
    const ask = !this.#asking && askAt <= now;
    if (ask) this.#ask();
    const next = Math.min(this.#asking ? Number.POSITIVE_INFINITY : askAt, ...this.#dead.values());
    if (next < Number.POSITIVE_INFINITY) this.#cancelWake = this.clock.after(next - now, () => this.#step());
    // Expired addresses are reported again only after the source has answered.
    if (!ask) this.#tell();
  }

  #ask(): void {
    const told = this.#told;
    this.#asking = true;
    if (this.#hurry) this.#hurriedAt = this.clock.now();
    this.#hurry = false;
    const settle = (take: () => void) => {
      if (this.#told !== told) return;
      this.#asking = false;
      take();
      this.#step();
    };
    const failed = (error: unknown) => `${messageOf(error)}; see that it runs and can be reached from here`;
    background.run(() =>
      this.source.ask().then(
        (sightings) => settle(() => this.#learn(sightings)),
        (error) => settle(() => this.#failed(failed(error))),
      ),
    );
  }

  #learn(sightings: readonly Sighting[]): void {
    if (sightings.length === 0) {
      this.#known ??= [];
      this.#failed('it knows of no instance; see that there are some and that they are listed under this name');
      return;
    }
    const now = this.clock.now();
    this.#known = sightings.map((sighting) => ({ ...sighting, until: now + sighting.ttlMs }));
    this.#askAt = Math.min(...this.#known.map(({ until }) => until));
    this.#failures = 0;
    if (this.#trouble) this.log.info({ source: this.source.name }, 'the source of addresses answers again');
    this.#trouble = undefined;
  }

  #failed(why: string): void {
    this.#askAt = this.clock.now() + Math.min(firstRetryMs * 2 ** this.#failures, longestRetryMs);
    this.#failures += 1;
    if (this.#trouble !== why) {
      this.log.warn({ source: this.source.name, why }, 'a source gives no addresses; those before are kept');
    }
    this.#trouble = why;
  }

  #tell(): void {
    if (!this.#known) return;
    const alive = this.#known.filter(({ address }) => !this.#dead.has(address));
    const first = Math.min(...alive.map(({ priority }) => priority));
    const chosen = alive.length > 0 ? alive.filter(({ priority }) => priority === first) : this.#known;
    this.#told?.tell(chosen.map(({ address }) => address));
  }
}
