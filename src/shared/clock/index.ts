export { Alarm } from './alarm.ts';
export { type Cancel, type Clock, instant, instantOf, steadyClock, systemClock } from './clock.ts';
export { withinLimit } from './limit.ts';
export { ManualClock } from './manual.ts';
