/**
 * Milliseconds since 1970, as the machine's clock said at the start of this process and as time has passed since: no step of that clock
 * moves it.
 */
export function steadyTime(): number {
  return performance.timeOrigin + performance.now();
}
