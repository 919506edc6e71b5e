export { CancelListener, Cancellation } from './cancellation.ts';
export { type CallContext, currentContext, keepContext, runInContext } from './context.ts';
