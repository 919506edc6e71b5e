import { activeTrace, endWith, isSampled, ofService, SpanKind, startSpan } from '../telemetry/index.ts';
import type { ModuleUnit } from './module.ts';

/**
 * Puts a unit of work into a span, if its trace is sampled. The span covers the wait for the turn of the unit, its task, and the commit.
 * Its events tell when the task began and ended.
 */
export function traceUnit<T>(
  module: string,
  task: (unit: ModuleUnit) => Promise<T>,
  work: (task: (unit: ModuleUnit) => Promise<T>) => Promise<T>,
): Promise<T> {
  const parent = activeTrace();
  if (!isSampled(parent)) return work(task);
  const attributes = { 'db.system.name': 'sqlite', 'db.namespace': module };
  const { span } = startSpan(
    `unit of work ${module}`,
    { kind: SpanKind.CLIENT, attributes },
    ofService(module, parent),
  );
  const working = work(async (unit) => {
    span.addEvent('task began');
    try {
      return await task(unit);
    } finally {
      span.addEvent('task ended');
    }
  });
  endWith(span, working);
  return working;
}
