import { DiagLogLevel, diag } from '@opentelemetry/api';
import { type Log, OncePerMinute } from '../../kernel/telemetry/index.ts';

/** Logs the warnings and errors of OpenTelemetry, such as a server that refuses spans: at most one line a minute. */
export function logDiagnostics(log: Log): void {
  const limit = new OncePerMinute();
  const warn = (problem: string) => {
    if (limit.passes())
      log.warn({ problem: reasonIn(problem) }, 'spans or log lines cannot be sent; they are counted and dropped');
  };
  const nothing = () => {};
  const logger = { error: warn, warn, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

const maxCharacters = 500;

/** Returns the code and the message of a problem. OpenTelemetry reports an error as JSON with its stack first, which would fill the line. */
function reasonIn(problem: string): string {
  let reason = problem;
  try {
    const { code, message } = JSON.parse(problem) as { code?: unknown; message?: unknown };
    reason = [code, message].filter(Boolean).join(': ') || problem;
  } catch {
    // A warning is plain text.
  }
  return reason.slice(0, maxCharacters);
}
