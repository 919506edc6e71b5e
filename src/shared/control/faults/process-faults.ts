/** What a fault inside a module does to the process that serves it. */
export const processFaults = ['leak', 'block', 'crash'] as const;
export type ProcessFault = (typeof processFaults)[number];

const leakedBytes = 64 * 1024 * 1024;
/** A process that has leaked this much is ended, as by a system that has no more. */
const mostLeakedBytes = 512 * 1024 * 1024;
const blockedMs = 100;

const leaked: Buffer[] = [];

/**
 * Does to this process what a fault inside a module does: each call keeps 64 MiB, and at 512 MiB the process is killed; holds
 * the event loop for 100 ms; or kills the process at once (SIGKILL).
 */
export function injectFault(inside: ProcessFault): void {
  switch (inside) {
    case 'leak':
      // Filled, so that it is memory in earnest.
      leaked.push(Buffer.alloc(leakedBytes, 1));
      if (leaked.length * leakedBytes >= mostLeakedBytes) process.kill(process.pid, 'SIGKILL');
      return;
    case 'block': {
      const end = performance.now() + blockedMs;
      while (performance.now() < end);
      return;
    }
    case 'crash':
      process.kill(process.pid, 'SIGKILL');
  }
}

/** What was leaked is given back: its fault is over. */
export function recover(): void {
  leaked.length = 0;
}
