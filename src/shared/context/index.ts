export { Cancellation, CancelListener } from './cancellation.ts';
export { type CallContext, currentContext, keepContext, runInContext } from './context.ts';
