import type { UnitUsage } from '../database/index.ts';
import { activeTrace, endWith, isSampled, ofService, SpanKind, startSpan } from '../telemetry/index.ts';
import type { ModuleUnit } from './module.ts';

/**
 * Puts a unit of work into a span, if its trace is sampled. The span covers the wait for the turn of the unit, its task, and the commit.
 * Its events tell when the task began and ended. Its attributes tell the statements, and the waits for the turn and for the disk in
 * milliseconds.
 */
export function traceUnit<T>(
  module: string,
  task: (unit: ModuleUnit) => Promise<T>,
  work: (task: (unit: ModuleUnit) => Promise<T>, usage?: UnitUsage) => Promise<T>,
): Promise<T> {
  const parent = activeTrace();
  if (!isSampled(parent)) return work(task);
  const attributes = { 'db.system.name': 'sqlite', 'db.namespace': module };
  const { span } = startSpan(
    `unit of work ${module}`,
    { kind: SpanKind.CLIENT, attributes },
    ofService(module, parent),
  );
  const calledAt = performance.now();
  const usage: UnitUsage = { statements: 0, diskMs: 0 };
  const working = work(async (unit) => {
    span.addEvent('task began').setAttribute('kerf.unit.queue_ms', toMicroseconds(performance.now() - calledAt));
    try {
      return await task(unit);
    } finally {
      span.addEvent('task ended');
    }
  }, usage);
  const noteUsage = () =>
    span.setAttributes({
      'kerf.unit.statements': usage.statements,
      'kerf.unit.disk_ms': toMicroseconds(usage.diskMs),
    });
  working.then(noteUsage, noteUsage);
  endWith(span, working);
  return working;
}

/** Rounds milliseconds to whole microseconds. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
