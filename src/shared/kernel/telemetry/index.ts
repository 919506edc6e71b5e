export { activeTrace, joinOpenTelemetry, withTrace } from './context-manager.ts';
export { FailureLog, OncePerMinute } from './failure-log.ts';
export type { KernelListener } from './kernel-listener.ts';
export { type Log, silentLog } from './log.ts';
export {
  addSpanEvent,
  endWith,
  inSpan,
  isSampled,
  isTraced,
  type OpenSpan,
  SpanKind,
  setOnSpan,
  startSpan,
  traced,
  traceWait,
} from './spans.ts';
export { fromTraceFields, ofService, serviceOf, type TraceFields, toTraceFields } from './trace-context.ts';
