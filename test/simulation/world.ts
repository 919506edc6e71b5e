import { StartError } from '../../src/shared/kernel/errors/index.ts';
import type { SubscriptionMap } from '../../src/shared/kernel/events/bus.ts';
import { subscriptionMap } from '../../src/shared/kernel/events/index.ts';
import type { Log } from '../../src/shared/kernel/telemetry/index.ts';
import type { Chronicle } from './chronicle.ts';
import { Applicant, type Asked, Customer } from './customer.ts';
import type { Disk } from './disk.ts';
import type { FirstDay } from './first-day.ts';
import type { Flaw } from './flaws.ts';
import { Host, Life } from './host.ts';
import { loseData } from './lost-data.ts';
import { Network } from './network.ts';
import { draw, type Faults, type Incident, type Plan, type Release } from './plan.ts';
import { Provider } from './provider.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';

const lookEveryMs = 500;
const laterSeed = 0x5eed;
const restWithinMs = 10 * 60_000;
/** Maximum difference between the clocks of two machines. */
const clocksDifferMs = 5_000;
/** Maximum number of times that a process becomes leader of a module: at its start, after each freeze, and at each large clock step. */
const maxBegins = 6;

/** The requests of the people, and the answers. */
export interface Outcomes {
  readonly asked: readonly Asked[];
  readonly applicants: readonly Applicant[];
}

/** The whole state of one history: processes, network, people, and the single source of random numbers. */
export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly plan: Plan;
  readonly network = new Network(this);
  readonly provider = new Provider(this);
  readonly hosts: Host[];
  readonly subscriptions: SubscriptionMap;
  readonly faults: string[] = [];
  readonly #lives: Life[] = [];
  #poisoned: string | undefined;
  #cured = false;
  readonly #faultyUntil: number;
  #crashesLeft: number;
  private readonly firstDay: FirstDay;
  readonly flaw: Flaw | undefined;
  readonly chronicle: Chronicle | undefined;

  constructor(
    seed: number,
    startMs: number,
    firstDay: FirstDay,
    flaw: Flaw | undefined,
    chronicle: Chronicle | undefined,
  ) {
    this.firstDay = firstDay;
    this.flaw = flaw;
    this.chronicle = chronicle;
    const { definitions } = firstDay;
    this.random = new Random(seed);
    this.scheduler = new Scheduler(startMs);
    this.plan = draw([...definitions.keys()], this.random, new Random(seed ^ laterSeed));
    this.#faultyUntil = startMs + this.plan.faults.untilMs;
    this.#crashesLeft = this.plan.faults.crashes;
    const { processes, twin } = this.plan;
    this.hosts = [...processes, ...processes.filter((_, index) => index === twin)].map(
      (names) =>
        new Host(
          names.map((name) => definitions.get(name)!),
          this,
        ),
    );
    this.subscriptions = subscriptionMap([...definitions.values()]);
  }

  /** Runs the history until it is at rest. Resolves with the requests of the people, and the answers. */
  async live(): Promise<Outcomes> {
    this.chronicle?.begin(this);
    const customers = this.plan.wishes.map((wish) => new Customer(wish, this.firstDay.members[wish.who], this));
    for (const host of this.hosts) this.watch(host.start());
    const applicants = this.plan.signUps.map((signUp) => new Applicant(signUp, this));
    const people = [...customers, ...applicants];
    for (const person of people) this.watch(person.live());
    for (const incident of this.plan.incidents) this.#plan(incident);
    if (this.plan.release) this.#release(this.plan.release);
    if (this.plan.lost) loseData(this.plan.lost, this);
    await this.#rest(() => people.every(({ content }) => content));
    if (this.plan.poison && this.#poisoned !== undefined) await this.#cure(this.plan.poison.subscriber);
    for (const host of this.hosts) host.end();
    return { asked: customers.map(({ asked }) => asked), applicants };
  }

  /** Runs the scheduler until the system is at rest and all people are content. Reports a fault after the time limit. */
  async #rest(content: () => boolean): Promise<void> {
    const endsAt = this.scheduler.time + restWithinMs;
    let resting = false;
    let over = false;
    const look = () => {
      resting = content() && this.#atRest();
      if (!over) this.scheduler.after(lookEveryMs, look);
    };
    look();
    await this.scheduler.run(() => resting || this.faults.length > 0 || this.scheduler.time > endsAt);
    over = true;
    if (!resting && this.faults.length === 0)
      this.fault(`nothing came to rest within ${restWithinMs / 60_000} minutes`);
  }

  /** Notes that a process became leader of a module. Finds two processes that believe each other dead and take turns as leader. */
  leads(life: Life, module: string): void {
    const times = (life.begins.get(module) ?? 0) + 1;
    life.begins.set(module, times);
    if (times > maxBegins) this.fault(`the lead of ${module} goes to and fro`);
  }

  #plan(incident: Incident): void {
    const { process, afterMs, forMs } = incident;
    const host = this.hosts[process]!;
    const happen = () =>
      incident.kind === 'freeze' ? host.freeze(forMs) : this.#stepClock(host, incident.byMs, forMs);
    this.scheduler.after(afterMs, happen);
  }

  /** Restarts the process with the next release, and later with the earlier one. If that refuses the data, the next release returns. */
  #release({ module, phase, afterMs, backAfterMs }: Release): void {
    const host = this.hostOf(module);
    const next = {
      module,
      migration: { name: 'simulated-0001', phase, sqlite: 'CREATE TABLE simulated_release (id TEXT)' },
    };
    const isMigrated = () =>
      this.disk(module).ask("SELECT 1 FROM sqlite_schema WHERE name = 'simulated_release'").length > 0;
    this.scheduler.after(afterMs, () => {
      host.migration = next;
      host.crash('for another release');
    });
    this.scheduler.after(backAfterMs, () => {
      host.migration = undefined;
      host.crash('for the release before');
    });
    host.onStart = (error) => {
      if (error === undefined && !host.migration && phase === 'contract' && isMigrated())
        this.fault(`a release of ${module} has started on data that it cannot live with`);
      if (error === undefined) return;
      if (!(error instanceof StartError) || phase === 'expand' || host.migration) this.fault(String(error));
      host.migration = next;
      host.crash('which refuses to start');
    };
  }

  #stepClock(host: Host, byMs: number, forMs: number): void {
    const hosts = this.plan.apart && Math.abs(byMs) <= clocksDifferMs ? [host] : this.hosts;
    const names = hosts.flatMap((each) => each.names);
    const step = (ms: number, what: string) => {
      this.chronicle?.note(names, what);
      for (const each of hosts) each.clockByMs += ms;
    };
    step(byMs, `the clock steps by ${byMs / 1_000} s`);
    this.scheduler.after(forMs, () => step(-byMs, 'the clock is right again'));
  }

  /** Returns whether the subscriber cannot handle this event yet. The poison is the first event that it receives. */
  isPoison(module: string, eventId: string): boolean {
    if (this.#cured || this.plan.poison?.subscriber !== module) return false;
    this.#poisoned ??= eventId;
    return this.#poisoned === eventId;
  }

  /** Checks that the poison is a dead letter of its subscriber. Then simulates a fixed release and replays the event. */
  async #cure(subscriber: string): Promise<void> {
    const dead = this.disk(subscriber).ask<{ id: string }>("SELECT event_id AS id FROM kerf_held WHERE state = 'dead'");
    if (dead.length !== 1 || dead[0]!.id !== this.#poisoned) {
      this.fault(`an event that ${subscriber} cannot handle is no dead letter there`);
      return;
    }
    this.#cured = true;
    let isReplayed = false;
    const replaying = this.lifeOf(subscriber)!.open.get(subscriber)!.deadLetters.replayAll({});
    this.watch(
      replaying.then(() => {
        isReplayed = true;
      }),
    );
    await this.#rest(() => isReplayed);
  }

  begin(host: Host): Life {
    const life = new Life(host, this.#lives.length + 1);
    this.#lives.push(life);
    return life;
  }

  /** Returns whether a process lives, as another process sees it. A process on another machine always appears alive. */
  runs(pid: number): boolean {
    if (this.flaw === 'treats a living process as dead') return false;
    return this.plan.apart || this.#lives[pid - 1]?.alive === true;
  }

  disk(module: string): Disk {
    return this.firstDay.disks.get(module)!;
  }

  hostOf(module: string): Host {
    return this.hosts.find(({ names }) => names.includes(module))!;
  }

  /** Returns a reachable process of a module, if there is one. The provider is always reachable. */
  lifeOf(name: string): Life | undefined {
    if (name === 'provider') return this.provider.life;
    const lives = this.hosts.flatMap(({ names, life }) => (names.includes(name) && life?.reachable ? life : []));
    return lives.length > 1 ? this.random.pick(lives) : lives[0];
  }

  /** Draws whether this fault happens now. */
  strikes(misfortune: keyof Omit<Faults, 'untilMs' | 'crash' | 'crashes'>): boolean {
    const chance = this.plan.faults[misfortune];
    return chance > 0 && this.#faulty && this.random.chance(chance);
  }

  /** Draws whether a process crashes now. */
  crashes(): boolean {
    if (!this.#faulty || this.#crashesLeft === 0 || !this.random.chance(this.plan.faults.crash)) return false;
    this.#crashesLeft -= 1;
    return true;
  }

  /** Tells most other processes that a process has started, so that they do not wait longer for its modules. */
  ready(host: Host): void {
    this.#tell(
      host,
      this.hosts.flatMap(({ life }) => (life && life.host !== host ? [life] : [])),
    );
  }

  #tell(host: Host, others: Life[]): void {
    for (const life of others) {
      if (this.random.chance(0.2)) continue;
      this.scheduler.after(this.random.between(0, 50), () => {
        life.run(() => {
          for (const each of life.open.values()) for (const name of host.names) each.wake(name);
        });
      });
    }
  }

  logOf(module: string): Log {
    const told = (fields: unknown, message: string) => this.chronicle?.told(module, message, fields);
    return { debug() {}, info() {}, warn: told, error: told } as unknown as Log;
  }

  /** Reports a violation, which ends the history. */
  fault(what: string): void {
    this.faults.push(what);
  }

  /** Reports an unhandled rejection of `work` as a fault. */
  watch(work: Promise<unknown>): void {
    work.catch((error) => this.fault(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  }

  get #faulty(): boolean {
    return this.scheduler.time < this.#faultyUntil;
  }

  #atRest(): boolean {
    if (this.network.inFlight > 0) return false;
    const idle = this.hosts.every(({ life }) => life?.reachable && !life.frozen && life.serving === 0);
    return idle && [...this.firstDay.disks.values()].every((disk) => disk.settled());
  }
}
