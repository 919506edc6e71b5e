import type { Clock } from '../context/index.ts';
import type { Log } from '../telemetry/index.ts';

/** A name under which a container holds something of type `T`. */
export interface Token<T> {
  readonly symbol: symbol;
  readonly about: string;
  /** Only for the type checker. */
  readonly holds?: T;
}

export function token<T>(about: string): Token<T> {
  return { symbol: Symbol(about), about };
}

/** What the kernel gives to every module. */
export const clock = token<Clock>('the clock');
export const log = token<Log>('the log');
