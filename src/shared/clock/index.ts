export { type Cancel, type Clock, instant, systemClock } from './clock.ts';
export { ManualClock } from './manual.ts';
