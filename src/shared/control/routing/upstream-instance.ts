import type { Link } from '../../kernel/calls/index.ts';
import type { Breaker } from './resilience/breaker.ts';

/** One remote instance of a module, as this process sees it. */
export interface UpstreamInstance {
  readonly address: string;
  readonly link: Link;
  readonly breaker: Breaker;
  /** Number of calls of this process that the instance has not answered yet. */
  inFlight: number;
  /** Until when the instance counts as about to stop, in the clock's milliseconds. Its successor may get the same address. */
  leavingUntil: number;
}

/** Returns whether the instance takes calls: it is not left out. */
export function works(instance: UpstreamInstance | undefined): boolean {
  return instance?.breaker.state.kind === 'closed';
}
