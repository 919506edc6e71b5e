/** What there are points in. */
export const crashPointKinds = ['command', 'inbox', 'move', 'relay', 'saga'] as const;
type CrashPointKind = (typeof crashPointKinds)[number];

type Trap = (point: string) => void;

let trap: Trap | undefined;

/**
 * A point that a test can make the process die at: what stands before it has happened, what stands after it has not. Costs
 * nothing while no trap is set.
 */
export function crashPoint(kind: CrashPointKind, ...point: string[]): void {
  trap?.([kind, ...point].join('/'));
}

/** Calls `next` at every point from now on; `undefined` ends that. */
export function setTrap(next: Trap | undefined): void {
  trap = next;
}
