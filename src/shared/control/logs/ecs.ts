import { trace } from '@opentelemetry/api';
import { currentContext } from '../../kernel/context/index.ts';
import { activeTrace, isTraced } from '../../kernel/telemetry/index.ts';
import type { Masking } from './masking.ts';

const maxStackLength = 12_000;
const maxCauses = 5;

/** Returns the fields of a log line that name the trace and the span of the running code. */
function traceFields(): { 'trace.id'?: string; 'span.id'?: string } {
  const active = activeTrace();
  const span = isTraced(active) && trace.getSpanContext(active);
  return span ? { 'trace.id': span.traceId, 'span.id': span.spanId } : {};
}

/**
 * Maps the fields of a log call to Elastic Common Schema: `error` to `error.*`, `method` and `path` to those of HTTP, and all others below
 * `kerf`. Adds the request and the trace of the current call. Masks every text. Never throws.
 */
export function ecsFields(given: unknown, masking: Masking): Record<string, unknown> {
  const context = currentContext();
  const fields: Record<string, unknown> = {
    ...traceFields(),
    ...(context && { 'http.request.id': masking.text(context.requestId, 200) }),
  };
  const { error, method, path, ...own } = ownFields(given, masking);
  if (error !== undefined) fields.error = error;
  if (method !== undefined) fields['http.request.method'] = method;
  // The query of a path may contain anything that a client sends.
  if (path !== undefined) fields['url.path'] = typeof path === 'string' ? path.split('?', 1)[0] : path;
  for (const _ in own) {
    fields.kerf = own;
    break;
  }
  return fields;
}

function ownFields(given: unknown, masking: Masking): Record<string, unknown> {
  if (given === undefined || given === null) return {};
  if (given instanceof Error) return { error: errorFields(given, masking) };
  const masked = masking.value(given);
  if (typeof masked !== 'object' || masked === null || Array.isArray(masked)) return { value: masked };
  const error = read(() => (given as { error?: unknown }).error);
  return { ...masked, ...(error !== undefined && { error: errorFields(error, masking) }) };
}

interface EcsError {
  readonly type?: string;
  readonly message: string;
  readonly code?: string;
  readonly stack_trace?: string;
}

/** Describes an error by ECS. The stack also has the stacks of its causes. */
function errorFields(error: unknown, masking: Masking): EcsError {
  if (!(error instanceof Error)) {
    const value = masking.value(error);
    return { message: typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof error) };
  }
  const text = (of: () => unknown, max?: number) => {
    const value = read(of);
    return typeof value === 'string' || typeof value === 'number' ? masking.text(String(value), max) : undefined;
  };
  const code = text(() => (error as { code?: unknown }).code, 200);
  return {
    type: text(() => error.constructor.name || error.name, 200) ?? 'Error',
    message: text(() => error.message) ?? '',
    ...(code !== undefined && { code }),
    stack_trace: masking.text(stackOf(error), maxStackLength),
  };
}

function stackOf(error: Error): string {
  const stacks: string[] = [];
  const seen = new Set<unknown>();
  for (let next: unknown = error; next !== undefined && next !== null && !seen.has(next); next = causeOf(next)) {
    if (stacks.length > maxCauses) break;
    seen.add(next);
    const stack = read(() => (next instanceof Error ? (next.stack ?? `${next.name}: ${next.message}`) : String(next)));
    // A message may be as long as an answer of another server.
    stacks.push((typeof stack === 'string' ? stack : '[unreadable]').slice(0, maxStackLength));
  }
  return stacks.join('\ncaused by: ');
}

/** Returns the cause of an error; of an `AggregateError` without a cause, the first of its errors. */
function causeOf(error: unknown): unknown {
  return read(() => {
    if (!(error instanceof Error)) return undefined;
    return error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined);
  });
}

/** Reads a property. A getter may throw. */
function read<T>(of: () => T): T | undefined {
  try {
    return of();
  } catch {
    return undefined;
  }
}
