export { type CallContext, currentContext, keepContext, runInContext } from './context.ts';
