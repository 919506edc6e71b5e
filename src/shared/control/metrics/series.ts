import { type Context, trace } from '@opentelemetry/api';
import { isSampled } from '../../kernel/telemetry/index.ts';
import type { Exemplar, MetricFamily, Sample } from '../parts/index.ts';

export type Labels = Readonly<Record<string, string>>;

/** Values by labels. Two values with equal labels become one. */
export class Series {
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  add(labels: Labels, value = 1): void {
    this.#of(labels).value += value;
  }

  /** Keeps the largest value of these labels. */
  max(labels: Labels, value: number): void {
    const own = this.#of(labels);
    own.value = Math.max(own.value, value);
  }

  get samples(): Sample[] {
    return [...this.#values.values()].map(({ labels, value }) => ({ labels, value }));
  }

  #of(labels: Labels) {
    const key = keyOf(labels);
    const known = this.#values.get(key);
    if (known) return known;
    const fresh = { labels, value: 0 };
    this.#values.set(key, fresh);
    return fresh;
  }
}

/** Upper bounds of the buckets, in seconds. Few, because each edge has all of them. */
const secondsBounds = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 5];

/**
 * One series of a histogram. A value is added at every call, so it costs only a few additions. The library would look up the labels each
 * time; it only writes the text of a scrape.
 */
export class Histogram {
  /** The count of each bucket. The last bucket has the values above all bounds. */
  readonly #counts: number[];
  readonly #exemplars: (Exemplar | undefined)[] = [];
  #sum = 0;
  private readonly bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** A sampled trace becomes the exemplar of its bucket. */
  add(value: number, of?: Context): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    this.#sum += value;
    if (of !== undefined && isSampled(of)) this.#exemplars[bucket] = exemplarOf(of, value);
  }

  samples(labels: Labels): Sample[] {
    const { bounds } = this;
    let below = 0;
    const buckets = this.#counts.map((count, index): Sample => {
      below += count;
      const le = index < bounds.length ? String(bounds[index]) : '+Inf';
      return { suffix: '_bucket', labels: { ...labels, le }, value: below, exemplar: this.#exemplars[index] };
    });
    return [...buckets, { suffix: '_sum', labels, value: this.#sum }, { suffix: '_count', labels, value: below }];
  }
}

/** A histogram of times. */
export class Durations {
  readonly #seconds = new Histogram(secondsBounds);

  /** Adds a time in milliseconds. A sampled trace becomes the exemplar of its bucket. */
  add(ms: number, of?: Context): void {
    this.#seconds.add(ms / 1_000, of);
  }

  samples(labels: Labels): Sample[] {
    return this.#seconds.samples(labels);
  }
}

function exemplarOf(context: Context, value: number): Exemplar | undefined {
  const traceId = trace.getSpanContext(context)?.traceId;
  return traceId === undefined ? undefined : { traceId, value, at: Date.now() / 1_000 };
}

/** Histograms by labels. */
export class HistogramSeries<H extends Pick<Histogram, 'samples'>> {
  readonly #all = new Map<string, { readonly labels: Labels; readonly histogram: H }>();
  private readonly make: () => H;

  constructor(make: () => H) {
    this.make = make;
  }

  /** Returns the histogram of these labels: always the same object. */
  of(labels: Labels): H {
    const key = keyOf(labels);
    const known = this.#all.get(key);
    if (known) return known.histogram;
    const histogram = this.make();
    this.#all.set(key, { labels, histogram });
    return histogram;
  }

  family(name: string, help: string): MetricFamily {
    const samples = [...this.#all.values()].flatMap(({ labels, histogram }) => histogram.samples(labels));
    return { name, help, type: 'histogram', samples };
  }
}

/** Histograms of times, by labels. */
export class DurationSeries extends HistogramSeries<Durations> {
  constructor() {
    super(() => new Durations());
  }
}

function keyOf(labels: Labels): string {
  return Object.values(labels).join('\0');
}
