export { Alarm } from './alarm.ts';
export { background } from './background.ts';
export { Cancellation, type CancelReason } from './cancellation.ts';
export { type Cancel, type Clock, instant, instantOf, pause, steadyClock, systemClock } from './clock.ts';
export {
  type CallContext,
  currentContext,
  keepContext,
  type Principal,
  runInContext,
  serveInContext,
} from './context.ts';
export { crashPoint, crashPointKinds, setTrap } from './crash-points.ts';
export { currentUnit, refuseInsideUnit, type UnitMark } from './current-unit.ts';
export { deadlineIn } from './deadline-timer.ts';
export { beginIdsAnew, newId } from './ids.ts';
export { withinLimit } from './limit.ts';
export { ManualClock } from './manual.ts';
export { hurryTurns, turn } from './turns.ts';
