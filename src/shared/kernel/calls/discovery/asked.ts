import { background, type Cancel, type Clock } from '../../context/index.ts';
import { messageOf } from '../../errors/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { type Discovery, LastAddresses, type Listener } from './discovery.ts';

/** Something that is asked where the instances are, and whose answers hold for a time: DNS, or a registry. */
export interface Source {
  /** For the log, such as `dns payments.internal`. */
  readonly name: string;
  /** None means that it knows of none. Rejects when it could not be asked. Never asked twice at a time. */
  ask(): Promise<readonly Sighting[]>;
  /** Gives up the question in flight. */
  cancel(): void;
}

export interface Sighting {
  readonly address: string;
  /** How long this may be believed, more than 0. The source is asked again when the first of an answer is over. */
  readonly ttlMs: number;
  /** Only the lowest that has an address not known to be dead is told. */
  readonly priority: number;
}

type Believed = Sighting & { readonly until: number };

/** At least as long is a dead address not told, also where the source still lists it. */
const deadMs = 5_000;
/** As often is the source asked before its time because an address is dead. */
const hurryMs = 1_000;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

/**
 * Asks again when an answer's time is over. While there is no answer, or it is that there are none, the addresses known
 * before are kept, and it is asked again after 1 s, 2 s, 4 s … 30 s.
 *
 * A dead address is not told until its time is over, at least 5 s, whatever the source says meanwhile; unless all are
 * dead: then all are told, since the source may be right and the way to them may be what is broken.
 */
export class AskedAddresses implements Discovery {
  #told: LastAddresses | undefined;
  #known: readonly Believed[] | undefined;
  /** Address → until when it is not told. */
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

  /** Does what is due and waits for what is due next. */
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
    // What is over is not told again before the source had its say.
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
