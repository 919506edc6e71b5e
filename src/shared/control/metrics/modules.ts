import { readBacklog } from '../../kernel/events/index.ts';
import { countOpenSagas } from '../../kernel/saga/index.ts';
import type { MetricFamily } from '../parts/index.ts';
import type { ModuleHere } from '../supervisor/index.ts';
import type { KnownNames } from './known-names.ts';
import { Series } from './series.ts';

/**
 * Reads the modules that run here: their queues, commits, events and sagas. Several processes may run a module on the same data. Only the
 * leader shows what the data holds, so that a sum over all processes counts it once.
 */
export class ModuleReader {
  readonly #calls = new Series();
  readonly #leads = new Series();
  readonly #terms = new Series();
  readonly #unitsWaiting = new Series();
  readonly #units = new Series();
  readonly #outbox = new Series();
  readonly #outboxAge = new Series();
  readonly #retryQueue = new Series();
  readonly #retryAge = new Series();
  readonly #deadLetters = new Series();
  readonly #sagas = new Series();
  readonly #sagaAge = new Series();
  private readonly names: KnownNames;
  /** Milliseconds since 1970. */
  private readonly now: number;

  constructor(names: KnownNames, now: number) {
    this.names = names;
    this.now = now;
  }

  /** Rejects when the data of the module cannot be read, as while it closes. */
  async read({ name: module, admission, inFlight, instance, database }: ModuleHere): Promise<void> {
    this.#calls.add({ module, state: 'running' }, inFlight.count);
    this.#calls.add({ module, state: 'waiting' }, admission.waiting);
    const { commits } = database;
    if (commits) {
      this.#unitsWaiting.add({ module }, commits.waiting);
      this.#units.add({ module }, commits.units);
    }
    const { leads, term } = instance;
    this.#leads.add({ module }, leads ? 1 : 0);
    if (!leads) return;
    this.#terms.add({ module }, term);
    await this.#readEvents(module, database);
    for (const { name: saga, state, count, since } of await countOpenSagas(database)) {
      this.#sagas.add({ module, saga, state }, count);
      this.#sagaAge.max({ module, saga, state }, this.#ageOf(since));
    }
  }

  async #readEvents(module: string, database: ModuleHere['database']): Promise<void> {
    const { outbox, retryQueue, deadLetters } = await readBacklog(database);
    for (const { recipient: name, waiting, since } of outbox) {
      const recipient = this.names.recipient(name);
      this.#outbox.add({ module, recipient }, waiting);
      this.#outboxAge.max({ module, recipient }, this.#ageOf(since));
    }
    this.#retryQueue.add({ module }, retryQueue.waiting);
    if (retryQueue.since !== undefined) this.#retryAge.max({ module }, this.#ageOf(retryQueue.since));
    for (const direction of ['in', 'out'] as const)
      this.#deadLetters.add({ module, direction }, deadLetters[direction]);
  }

  /** In seconds. A clock that was set back makes nothing younger than now. */
  #ageOf(since: number): number {
    return Math.max(0, this.now - since) / 1_000;
  }

  families(): MetricFamily[] {
    const family = (type: 'counter' | 'gauge', name: string, help: string, { samples }: Series): MetricFamily => ({
      ...{ name, help, type, samples },
    });
    return [
      family(
        'gauge',
        'kerf_module_calls',
        'Calls that a module of this process serves, or that wait for room.',
        this.#calls,
      ),
      family('gauge', 'kerf_leader', 'Whether this process leads the instances of the module: 1 or 0.', this.#leads),
      family('gauge', 'kerf_leader_term', 'The term of the leader. It grows when the leader changes.', this.#terms),
      family('gauge', 'kerf_units_waiting', 'Units of work that wait for their turn.', this.#unitsWaiting),
      family('counter', 'kerf_units_total', 'Units of work that ran.', this.#units),
      family('gauge', 'kerf_outbox_events', 'Events that wait for a recipient. A count ends at 100,000.', this.#outbox),
      family(
        'gauge',
        'kerf_outbox_age_seconds',
        'Age of the oldest event that waits for a recipient.',
        this.#outboxAge,
      ),
      family('gauge', 'kerf_retry_queue_events', 'Events that the module tries again.', this.#retryQueue),
      family('gauge', 'kerf_retry_queue_age_seconds', 'Age of the oldest event that is tried again.', this.#retryAge),
      family('gauge', 'kerf_dead_letters', 'Dead letters: not taken (in), or not delivered (out).', this.#deadLetters),
      family('gauge', 'kerf_sagas', 'Sagas that have not ended, by state. A count ends at 10,000.', this.#sagas),
      family('gauge', 'kerf_saga_age_seconds', 'Age of the oldest of those sagas.', this.#sagaAge),
    ];
  }
}
