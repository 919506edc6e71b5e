import type { Context } from '@opentelemetry/api';
import {
  type CallCounter,
  type CallRequest,
  kernelOperation,
  type ServedCounter,
  timeOneOf,
} from '../../kernel/calls/index.ts';
import type { CallContext, CancelReason } from '../../kernel/context/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import type { MetricFamily } from '../parts/index.ts';
import type { KnownNames } from './known-names.ts';
import { DurationSeries, type Durations, type Labels, Series } from './series.ts';

/** Counts and times the calls that the modules of this process send, by edge, and the calls of other processes that they serve. */
export class CallMetrics implements CallCounter {
  readonly #edges = new Map<string, LocalEdge>();
  readonly #counts = new Series();
  readonly #times = new DurationSeries();
  readonly #served = new DurationSeries();
  private readonly names: KnownNames;

  constructor(names: KnownNames) {
    this.names = names;
  }

  served({ module, name: operation }: Operation): ServedCounter {
    return new OperationCounter({ module, operation }, this.names, this.#served, (caller) =>
      this.#edgeOf(caller, module, operation),
    );
  }

  /** The calls that the kernel makes for itself are no edges between modules. */
  sent({ operation, context }: CallRequest, address: string | undefined, answer: Promise<unknown>): void {
    const { module, name } = operation;
    if (kernelOperation(name)) return;
    // The transport is the scheme of the address.
    const [placement, transport] = address === undefined ? ['away', 'none'] : ['remote', address.split(':', 1)[0]!];
    const labels = { caller: this.names.caller(context.caller), module, operation: name, placement, transport };
    const times = this.#times.of(labels);
    whenEnded(answer, context.trace, (ms, trace, error) => {
      this.#counts.add({ ...labels, outcome: error ? this.names.outcome(module, error.of) : 'ok' });
      times.add(ms, trace);
    });
  }

  families(): MetricFamily[] {
    const local = [...this.#edges.values()].flatMap((edge) => edge.samples);
    return [
      {
        name: 'kerf_calls_total',
        help: 'Calls of modules, as their callers see them.',
        type: 'counter',
        samples: [...local, ...this.#counts.samples],
      },
      this.#times.family(
        'kerf_call_duration_seconds',
        `Times of those calls, with all attempts; within a process, of one call in ${timeOneOf}.`,
      ),
      this.#served.family('kerf_served_call_duration_seconds', 'Calls of other processes that a module here served.'),
    ];
  }

  /** Returns the same edge after a module has moved away and back. */
  #edgeOf(caller: string, module: string, operation: string): LocalEdge {
    const labels = {
      ...{ caller: this.names.caller(caller), module, operation },
      ...{ placement: 'in-process', transport: 'none' },
    };
    const key = Object.values(labels).join(' ');
    const known = this.#edges.get(key);
    if (known) return known;
    const fresh = new LocalEdge(labels, this.#times.of(labels));
    this.#edges.set(key, fresh);
    return fresh;
  }
}

/** The calls from one caller to an operation within this process. */
class LocalEdge {
  ok = 0;
  readonly failed = new Series();
  readonly labels: Labels;
  readonly times: Durations;

  constructor(labels: Labels, times: Durations) {
    this.labels = labels;
    this.times = times;
  }

  get samples() {
    return [{ labels: { ...this.labels, outcome: 'ok' }, value: this.ok }, ...this.failed.samples];
  }
}

class OperationCounter implements ServedCounter {
  #latest: string | undefined;
  #edge: LocalEdge | undefined;
  readonly #operation: { readonly module: string; readonly operation: string };
  readonly #names: KnownNames;
  readonly #remote: DurationSeries;
  readonly #edgeFrom: (caller: string) => LocalEdge;

  constructor(
    operation: { module: string; operation: string },
    names: KnownNames,
    remote: DurationSeries,
    edgeFrom: (caller: string) => LocalEdge,
  ) {
    this.#operation = operation;
    this.#names = names;
    this.#remote = remote;
    this.#edgeFrom = edgeFrom;
  }

  answered(caller: string): void {
    this.#edgeOf(caller).ok += 1;
  }

  failed(caller: string, error: unknown): void {
    this.#fail(caller, this.#names.outcome(this.#operation.module, error));
  }

  cancelled(caller: string, why: CancelReason): void {
    this.#fail(caller, why === 'late' ? 'timeout' : 'cancelled');
  }

  timed({ caller, trace }: CallContext, answer: Promise<unknown>): void {
    const { times } = this.#edgeOf(caller);
    whenEnded(answer, trace, (ms) => times.add(ms, trace));
  }

  remote({ trace }: CallContext, answer: Promise<unknown>): void {
    whenEnded(answer, trace, (ms, trace, error) => {
      const outcome = error ? this.#names.outcome(this.#operation.module, error.of) : 'ok';
      this.#remote.of({ ...this.#operation, outcome }).add(ms, trace);
    });
  }

  #fail(caller: string, outcome: string): void {
    const { labels, failed } = this.#edgeOf(caller);
    failed.add({ ...labels, outcome });
  }

  /** Most calls come from the caller of the call before. */
  #edgeOf(caller: string): LocalEdge {
    if (!this.#edge || caller !== this.#latest) [this.#latest, this.#edge] = [caller, this.#edgeFrom(caller)];
    return this.#edge;
  }
}

function whenEnded(
  answer: Promise<unknown>,
  trace: Context | undefined,
  ended: (ms: number, trace: Context | undefined, error?: { readonly of: unknown }) => void,
): void {
  const startedAt = performance.now();
  answer.then(
    () => ended(performance.now() - startedAt, trace),
    (error: unknown) => ended(performance.now() - startedAt, trace, { of: error }),
  );
}
