export { activeTrace, joinOpenTelemetry, withTrace } from './context-manager.ts';
export { type LogDestination, logsToFile, openDestination } from './destination.ts';
export { FailureLog, OncePerMinute } from './failure-log.ts';
export type { KernelListener } from './kernel-listener.ts';
export { type LogLevel, type LogLevels, levelNames, levelsRule, levelsText, readLevels } from './levels.ts';
export { type Log, Logs, silentLog } from './log.ts';
export {
  addSpanEvent,
  endWith,
  inSpan,
  isSampled,
  isTraced,
  markFailed,
  type OpenSpan,
  SpanKind,
  setOnSpan,
  startSpan,
  traced,
  traceWait,
} from './spans.ts';
export { fromTraceFields, ofService, serviceOf, type TraceFields, toTraceFields } from './trace-context.ts';
