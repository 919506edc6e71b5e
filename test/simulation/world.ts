import type { SubscriptionMap } from '../../src/shared/events/bus.ts';
import { subscriptionMap } from '../../src/shared/events/index.ts';
import type { Log } from '../../src/shared/observability/index.ts';
import type { Chronicle } from './chronicle.ts';
import { type Asked, Customer } from './customer.ts';
import type { Disk } from './disk.ts';
import type { FirstDay } from './first-day.ts';
import type { Flaw } from './flaws.ts';
import { Host, Life } from './host.ts';
import { Network } from './network.ts';
import { draw, type Faults, type Plan } from './plan.ts';
import { Provider } from './provider.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';

const lookEveryMs = 500;
const restWithinMs = 20 * 60_000;

/** All there is in one history: the processes, what connects them, the people outside, and the one source of chance. */
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
  readonly #faultyUntil: number;
  #crashesLeft: number;

  constructor(
    seed: number,
    startMs: number,
    private readonly firstDay: FirstDay,
    readonly flaw: Flaw | undefined,
    readonly chronicle: Chronicle | undefined,
  ) {
    const { definitions } = firstDay;
    this.random = new Random(seed);
    this.scheduler = new Scheduler(startMs);
    this.plan = draw([...definitions.keys()], this.random);
    this.#faultyUntil = startMs + this.plan.faults.untilMs;
    this.#crashesLeft = this.plan.faults.crashes;
    this.hosts = this.plan.processes.map(
      (names) =>
        new Host(
          names.map((name) => definitions.get(name)!),
          this,
        ),
    );
    this.subscriptions = subscriptionMap(
      [...definitions.values()].map(({ contract, subscribesTo }) => ({
        name: contract.name,
        subscribesTo: subscribesTo ?? [],
      })),
    );
  }

  /** Lets everything happen, until nothing more would. Resolves with what the members asked for and were told. */
  async live(): Promise<Asked[]> {
    this.chronicle?.begin(this);
    const customers = this.plan.wishes.map((wish) => new Customer(wish, this.firstDay.members[wish.who], this));
    for (const host of this.hosts) this.watch(host.start());
    for (const customer of customers) this.watch(customer.live());
    const endsAt = this.scheduler.time + restWithinMs;
    let resting = false;
    const look = () => {
      resting = customers.every(({ content }) => content) && this.#atRest();
      this.scheduler.after(lookEveryMs, look);
    };
    look();
    await this.scheduler.run(() => resting || this.faults.length > 0 || this.scheduler.time > endsAt);
    if (!resting && this.faults.length === 0)
      this.fault(`nothing came to rest within ${restWithinMs / 60_000} minutes`);
    for (const host of this.hosts) host.end();
    return customers.map(({ asked }) => asked);
  }

  begin(host: Host): Life {
    const life = new Life(host, this.#lives.length + 1);
    this.#lives.push(life);
    return life;
  }

  /** Whether a process lives, as far as another can see: of one on another machine it takes that for granted. */
  runs(pid: number): boolean {
    return this.plan.apart || this.#lives[pid - 1]?.alive === true;
  }

  disk(module: string): Disk {
    return this.firstDay.disks.get(module)!;
  }

  hostOf(module: string): Host {
    return this.hosts.find(({ names }) => names.includes(module))!;
  }

  /** The process in which a module runs now, if it does; the provider's, which always does. */
  lifeOf(name: string): Life | undefined {
    return name === 'provider' ? this.provider.life : this.hostOf(name).life;
  }

  /** Whether this misfortune befalls the message at hand. */
  strikes(misfortune: keyof Pick<Faults, 'loss' | 'twice' | 'late'>): boolean {
    return this.#faulty && this.random.chance(this.plan.faults[misfortune]);
  }

  /** Whether a process crashes here. */
  crashes(): boolean {
    if (!this.#faulty || this.#crashesLeft === 0 || !this.random.chance(this.plan.faults.crash)) return false;
    this.#crashesLeft -= 1;
    return true;
  }

  /** A process has started: the others may be told, so that they wait no longer for its modules. */
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
        if (life.alive) for (const each of life.open.values()) for (const name of host.names) each.wake(name);
      });
    }
  }

  logOf(module: string): Log {
    const told = (fields: unknown, message: string) => this.chronicle?.told(module, message, fields);
    return { debug() {}, info() {}, warn: told, error: told } as unknown as Log;
  }

  /** What must never happen, whatever goes wrong; it ends the history. */
  fault(what: string): void {
    this.faults.push(what);
  }

  /** Takes a rejection that nobody else takes for the fault it is. */
  watch(work: Promise<unknown>): void {
    work.catch((error) => this.fault(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  }

  get #faulty(): boolean {
    return this.scheduler.time < this.#faultyUntil;
  }

  #atRest(): boolean {
    if (this.network.underWay > 0) return false;
    const idle = this.hosts.every(({ life }) => life?.reachable && life.serving === 0);
    return idle && [...this.firstDay.disks.values()].every((disk) => disk.settled());
  }
}
