import type { Operation } from '../contract/index.ts';
import { inSpan, isTraced, ofService, SpanKind } from '../telemetry/index.ts';
import type { RoadStep, ServeStep } from './transport.ts';

interface TraceDependencies {
  readonly operation: Operation;
}

/** Puts a call into a span of its caller, if it belongs to a trace. The call carries the span to its callee. */
export const traceCall = ({ operation }: TraceDependencies): RoadStep => {
  const [name, options] = [nameOf(operation), { kind: SpanKind.CLIENT, attributes: attributesOf(operation) }];
  return (call, next) => {
    const { context } = call;
    if (!isTraced(context.trace)) return next(call);
    return inSpan(name, options, context.trace, (trace) =>
      next(trace === context.trace ? call : { ...call, context: { ...context, trace } }),
    );
  };
};

/** Puts a call into a span of the module that serves it, below the span of its caller. */
export const traceServed = ({ operation }: TraceDependencies): ServeStep => {
  const [name, options] = [nameOf(operation), { kind: SpanKind.SERVER, attributes: attributesOf(operation) }];
  return (call, next) => {
    const { context } = call;
    if (!isTraced(context.trace)) return next(call);
    return inSpan(name, options, ofService(operation.module, context.trace), (trace) =>
      next({ ...call, context: { ...context, trace } }),
    );
  };
};

function nameOf({ module, name }: Operation): string {
  return `${module}/${name}`;
}

/** Names by OpenTelemetry's conventions for RPC. Frozen, so that the spans share them. */
function attributesOf(operation: Operation) {
  const { kind } = operation;
  return Object.freeze({ 'rpc.system.name': 'kerf', 'rpc.method': nameOf(operation), 'kerf.operation.kind': kind });
}
