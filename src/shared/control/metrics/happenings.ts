import type { KernelListener } from '../../kernel/telemetry/index.ts';
import type { EndedRequest, MetricFamily } from '../parts/index.ts';
import type { KnownNames } from './known-names.ts';
import { DurationSeries, Histogram, HistogramSeries, Series } from './series.ts';

/** Upper bounds of the buckets for the units in a group, which has at most 512. */
const unitBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Counts what leaves no state behind: retries, choices of balancers, events, commits, ends of sagas and public requests. */
export class Happenings implements KernelListener {
  readonly #retries = new Series();
  readonly #picks = new Series();
  readonly #ejections = new Series();
  readonly #dispatches = new DurationSeries();
  readonly #dispatched = new Series();
  readonly #handled = new DurationSeries();
  readonly #requests = new DurationSeries();
  readonly #commits = new DurationSeries();
  readonly #commitUnits = new HistogramSeries(() => new Histogram(unitBounds));
  readonly #sagas = new Series();
  private readonly names: KnownNames;

  constructor(names: KnownNames) {
    this.names = names;
  }

  retried({ caller, module, operation }: Parameters<KernelListener['retried']>[0]): void {
    this.#retries.add({ caller: this.names.caller(caller), module, operation });
  }

  picked(module: string): void {
    this.#picks.add({ module });
  }

  ejected(module: string): void {
    this.#ejections.add({ module });
  }

  dispatched({ module, recipient, events, ms, failed }: Parameters<KernelListener['dispatched']>[0]): void {
    const labels = { module, recipient: this.names.recipient(recipient), outcome: failed ? 'error' : 'ok' };
    this.#dispatches.of(labels).add(ms);
    this.#dispatched.add(labels, events);
  }

  committed({ module, units, ms }: Parameters<KernelListener['committed']>[0]): void {
    this.#commits.of({ module }).add(ms);
    this.#commitUnits.of({ module }).add(units);
  }

  sagaEnded({ module, saga, outcome }: Parameters<KernelListener['sagaEnded']>[0]): void {
    this.#sagas.add({ module, saga, outcome });
  }

  handled({ module, type, ms, failed }: Parameters<KernelListener['handled']>[0]): void {
    this.#handled.of({ module, event: this.names.event(type), outcome: failed ? 'error' : 'ok' }).add(ms);
  }

  /** The route comes from the resource that served the request, never from its path. */
  requestEnded({ method, route = 'none', status, ms, trace }: EndedRequest): void {
    const { names } = this;
    this.#requests.of({ method: names.method(method), route, status: names.status(status) }).add(ms, trace);
  }

  families(): MetricFamily[] {
    const counter = (name: string, help: string, { samples }: Series): MetricFamily => ({
      ...{ name, help, samples },
      type: 'counter',
    });
    return [
      counter('kerf_call_retries_total', 'Further attempts of calls to other processes.', this.#retries),
      counter('kerf_balancer_picks_total', 'Attempts for which the balancer chose an instance.', this.#picks),
      counter('kerf_balancer_ejections_total', 'Times that a failing instance was left out.', this.#ejections),
      this.#dispatches.family('kerf_event_dispatch_duration_seconds', 'Time that the bus took for a batch of events.'),
      counter('kerf_events_dispatched_total', 'Events in those batches.', this.#dispatched),
      this.#handled.family('kerf_event_handling_duration_seconds', 'Time that the handlers of an event took.'),
      this.#commits.family('kerf_commit_duration_seconds', 'Time in which a group of units was written to disk.'),
      this.#commitUnits.family('kerf_commit_units', 'Units of work in a group, which is written to disk at once.'),
      counter('kerf_sagas_ended_total', 'Sagas that ended, by outcome: done or compensated.', this.#sagas),
      this.#requests.family(
        'kerf_http_request_duration_seconds',
        'Public requests, by resource. The status is "none" when the client disconnected.',
      ),
    ];
  }
}
