/** One series of a family at the time of a scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** The series of a histogram that this is. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly exemplar?: Exemplar | undefined;
}

/** One of the calls that a sample counts, and its trace. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Seconds since 1970. */
  readonly at: number;
}

/** Series of one name, by the conventions of Prometheus: `kerf_…`, with the unit in the name, and `_total` for a counter. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

/** Reads families at each scrape. It must bound their series: labels have names of contracts and modules only. */
export type MetricSource = () => readonly MetricFamily[] | Promise<readonly MetricFamily[]>;
