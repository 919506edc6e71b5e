export { type Cancel, type Clock, instant, steadyClock, systemClock } from './clock.ts';
export { withinLimit } from './limit.ts';
export { ManualClock } from './manual.ts';
