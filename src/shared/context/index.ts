export { background } from './background.ts';
export { Cancellation, type GivenUp } from './cancellation.ts';
export { type CallContext, currentContext, keepContext, runInContext, serveInContext } from './context.ts';
export { currentUnit, refuseInsideUnit, type UnitMark } from './current-unit.ts';
export { deadlineIn } from './deadlines.ts';
export { hurryTurns, turn } from './turns.ts';
