import type { Attributes } from '@opentelemetry/api';
import type { Operation } from '../../contract/index.ts';
import { endWith, isTraced, ofService, SpanKind, startSpan } from '../../telemetry/index.ts';
import type { RoadStep, ServeStep } from '../transport.ts';

interface Place {
  readonly operation: Operation;
}

/** Puts a call into a span of its caller, if it belongs to a trace. The call carries the span to its callee. */
export const traceCall = ({ operation }: Place): RoadStep => {
  const [name, options] = [nameOf(operation), { kind: SpanKind.CLIENT, attributes: attributesOf(operation) }];
  return (call, next) => {
    const { context } = call;
    if (!isTraced(context.trace)) return next(call);
    const { span, context: trace } = startSpan(name, options, context.trace);
    const answer = next({ ...call, context: { ...context, trace } });
    endWith(span, answer);
    return answer;
  };
};

/** Puts a call into a span of the module that serves it, below the span of its caller. */
export const traceServed = ({ operation }: Place): ServeStep => {
  const [name, options] = [nameOf(operation), { kind: SpanKind.SERVER, attributes: attributesOf(operation) }];
  return (call, next) => {
    const { context } = call;
    if (!isTraced(context.trace)) return next(call);
    const { span, context: trace } = startSpan(name, options, ofService(operation.module, context.trace));
    const answer = next({ ...call, context: { ...context, trace } });
    endWith(span, answer);
    return answer;
  };
};

function nameOf({ module, name }: Operation): string {
  return `${module}/${name}`;
}

/** Names by OpenTelemetry's conventions for RPC. */
function attributesOf(operation: Operation): Attributes {
  return { 'rpc.system.name': 'kerf', 'rpc.method': nameOf(operation), 'kerf.operation.kind': operation.kind };
}
