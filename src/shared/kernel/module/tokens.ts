import type { Clock } from '../context/index.ts';
import type { Log } from '../telemetry/index.ts';

/** A key under which a container holds a value of type `T`. */
export interface Token<T> {
  readonly symbol: symbol;
  readonly about: string;
  /** Only for the type checker. */
  readonly holds?: T;
}

/** Creates a token. Error messages contain `about`. */
export function token<T>(about: string): Token<T> {
  return { symbol: Symbol(about), about };
}

/** The kernel registers `clock` and `log` for every module. */
export const clock = token<Clock>('the clock');
export const log = token<Log>('the log');
