export { type CallContext, currentContext, runInContext } from './context.ts';
