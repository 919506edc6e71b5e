/** The parts of the kernel that have crash points. */
export const crashPointKinds = ['command', 'inbox', 'move', 'relay', 'saga'] as const;
type CrashPointKind = (typeof crashPointKinds)[number];

type Trap = (point: string) => void;

let trap: Trap | undefined;

/**
 * Marks a point at which a test can crash the process. The code before it has run; the code after it has not. Costs nothing
 * while no trap is set.
 */
export function crashPoint(kind: CrashPointKind, ...point: string[]): void {
  trap?.([kind, ...point].join('/'));
}

/** Calls `next` at every crash point from now on. `undefined` removes the trap. */
export function setTrap(next: Trap | undefined): void {
  trap = next;
}
