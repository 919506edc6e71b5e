import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, type ContextManager, context, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { currentContext, runInContext } from '../context/index.ts';

/** The trace context of code that serves no call, such as a timer. */
const outside = new AsyncLocalStorage<Context>();

/** Returns the trace context of the running code, if it belongs to a trace. */
export function activeTrace(): Context | undefined {
  const call = currentContext();
  return call ? call.trace : outside.getStore();
}

/** Runs a task in a trace context. */
export function withTrace<T>(trace: Context, task: () => T): T {
  const call = currentContext();
  return call ? runInContext({ ...call, trace }, task) : outside.run(trace, task);
}

/**
 * Gives OpenTelemetry the trace context of the call being served, so that a span of any instrumentation joins the trace. There is no second
 * storage for the code of a call: its trace is a field of its `CallContext`.
 */
class CallContextManager implements ContextManager {
  active(): Context {
    return activeTrace() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...input: A) => ReturnType<F>>(
    trace: Context,
    task: F,
    self?: ThisParameterType<F>,
    ...input: A
  ): ReturnType<F> {
    return withTrace(trace, () => task.call(self, ...input));
  }

  bind<T>(trace: Context, target: T): T {
    if (typeof target !== 'function') return target;
    const bound = (...input: unknown[]) => this.with(trace, () => target(...input));
    return bound as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

/**
 * Lets any instrumentation of OpenTelemetry join the traces of this process: `context.active()` becomes the trace context of the running
 * code, and traces travel in the W3C form. Call it once in a process.
 */
export function joinOpenTelemetry(): void {
  context.setGlobalContextManager(new CallContextManager());
  // Requests to third parties carry the trace, but no baggage: it may name a member.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}
