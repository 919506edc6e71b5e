import type { MetricFamily } from '../parts/index.ts';
import type { Directory } from '../routing/index.ts';
import type { KnownNames } from './known-names.ts';
import { Series } from './series.ts';

const states = ['closed', 'half-open', 'open'] as const;

/** Reads how this process sees the modules that run in others: their instances, breakers and bulkheads. */
export function readUpstreams(
  modules: readonly string[],
  directory: Pick<Directory, 'routeTo'>,
  names: KnownNames,
): MetricFamily[] {
  const [reachable, breakers, inFlight, bulkheads] = [new Series(), new Series(), new Series(), new Series()];
  for (const module of modules) {
    const at = directory.routeTo(module);
    reachable.add({ module }, at.state === 'here' ? 1 : 0);
    if (at.state !== 'there') continue;
    const { instances, bulkheads: limits } = at.upstream;
    for (const state of states) breakers.add({ module, state }, 0);
    for (const { breaker, inFlight: calls } of instances) {
      breakers.add({ module, state: breaker.state.kind });
      inFlight.add({ module }, calls);
      if (breaker.state.kind === 'closed') reachable.max({ module }, 1);
    }
    for (const [caller, { running, waiting }] of limits) {
      const edge = { caller: names.caller(caller), module };
      bulkheads.add({ ...edge, state: 'running' }, running);
      bulkheads.add({ ...edge, state: 'waiting' }, waiting);
    }
  }
  const gauge = (name: string, help: string, { samples }: Series): MetricFamily => ({
    ...{ name, help, samples },
    type: 'gauge',
  });
  return [
    gauge('kerf_module_reachable', 'Whether calls of this process reach the module: 1 or 0.', reachable),
    gauge('kerf_upstream_instances', 'Instances of a remote module, by the state of their breaker.', breakers),
    gauge('kerf_upstream_calls_in_flight', 'Calls that the instances of a remote module have not answered.', inFlight),
    gauge('kerf_bulkhead_calls', 'Calls of one caller to a remote module that run, or wait for room.', bulkheads),
  ];
}
