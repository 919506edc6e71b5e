import { collectDefaultMetrics, type Gauge, Registry, type RegistryContentType } from 'prom-client';
import type { MetricFamily } from '../parts/index.ts';

/** The form of an answer to a scrape. Only OpenMetrics has exemplars. */
export type Form = 'prometheus' | 'openmetrics';

/** A family as the library writes it. */
interface Written {
  name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number | undefined>>;
    readonly value: number;
    readonly exemplar?: { readonly labelSet: object; readonly value: number; readonly timestamp: number };
  }[];
}

/** Returns the form that the header `Accept` of a scrape asks for. */
export function formFor(accept = ''): Form {
  return accept.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
}

export function contentTypeOf(form: Form): RegistryContentType {
  return form === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
}

/** Writes families as text. Throws when two have one name. */
export function write(families: readonly (MetricFamily | Written)[], form: Form): Promise<string> {
  // A new registry each time: the library changes the names of counters when it writes OpenMetrics.
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(contentTypeOf(form));
  for (const family of families) register(registry, 'samples' in family ? writtenOf(family) : family);
  return registry.metrics();
}

/** The library reads these fields of a metric, and sets `name`. */
function register(registry: Registry<RegistryContentType>, family: Written): void {
  const metric = { name: family.name, type: family.type, get: async () => ({ ...family, name: metric.name }) };
  registry.registerMetric(metric as unknown as Gauge);
}

function writtenOf({ name, help, type, samples }: MetricFamily): Written {
  const values = samples.map(({ labels, value, suffix, exemplar }) => ({
    ...(suffix && { metricName: name + suffix }),
    labels,
    value,
    ...(exemplar && {
      exemplar: { labelSet: { trace_id: exemplar.traceId }, value: exemplar.value, timestamp: exemplar.at },
    }),
  }));
  return { name, help, type, values };
}

/** Gauges whose names end like those of counters. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The numbers of Node, under the names that dashboards for it know: event loop, garbage collection, memory, descriptors, CPU. */
export class NodeMetrics {
  readonly #registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamed) this.#registry.removeSingleMetric(name);
  }

  async families(): Promise<Written[]> {
    const read = await this.#registry.getMetricsAsJSON();
    return read.map(({ name, help, type, values }) => ({ name, help, type: String(type), values }));
  }
}
