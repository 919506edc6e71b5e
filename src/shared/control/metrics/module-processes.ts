import type { MetricFamily } from '../parts/index.ts';
import type { ModuleProcesses } from '../supervisor/index.ts';
import { Series } from './series.ts';

/** Counts the module processes of the home process: all that serve a module, the ready ones, and the ended ones. */
export function readModuleProcesses(all: Pick<ModuleProcesses, 'ends' | 'of'>): MetricFamily[] {
  const [serving, ready, ended] = [new Series(), new Series(), new Series()];
  for (const [module, counts] of all.ends) {
    const processes = all.of(module);
    if (processes.length > 0) {
      serving.add({ module }, processes.length);
      ready.add({ module }, processes.filter((process) => process.ready && !process.unresponsive).length);
    }
    // Shows both reasons from the start: Prometheus sees no increase when a series begins at 1.
    for (const reason of ['planned', 'crash'] as const) ended.add({ module, reason }, counts[reason]);
  }
  return [
    {
      name: 'kerf_module_processes',
      help: 'Module processes that the home process runs to serve a module.',
      type: 'gauge',
      samples: serving.samples,
    },
    {
      name: 'kerf_module_process_ready',
      help: 'Module processes that are ready and whose event loop is not blocked.',
      type: 'gauge',
      samples: ready.samples,
    },
    {
      name: 'kerf_module_process_ends_total',
      help: 'Ends of module processes, by reason: planned or crash.',
      type: 'counter',
      samples: ended.samples,
    },
  ];
}
