export { CallStatistics } from './call-statistics.ts';
export { Journal } from './journal.ts';
export type { TryOut } from './relocation-order.ts';
export { Relocations } from './relocations.ts';
export { serveRelocations } from './serve.ts';
export { TrafficSplit, warmUp, warmUpWithinMs } from './traffic-split.ts';
export type { Trials } from './trials.ts';
