import type { ProcessFault } from '../admin-contract/index.ts';

const leakedBytes = 64 * 1024 * 1024;
/** A process that has leaked this much is killed, as if the system had no memory left. */
const maxLeakedBytes = 512 * 1024 * 1024;
const blockedMs = 100;

const leaked: Buffer[] = [];

/**
 * Injects a fault into this process. `leak` keeps 64 MiB for each call, and kills the process at 512 MiB. `block` holds the event loop
 * for 100 ms. `crash` kills the process at once (SIGKILL).
 */
export function injectFault(inside: ProcessFault): void {
  switch (inside) {
    case 'leak':
      // Fills the buffer, so that the system really allocates the memory.
      leaked.push(Buffer.alloc(leakedBytes, 1));
      if (leaked.length * leakedBytes >= maxLeakedBytes) process.kill(process.pid, 'SIGKILL');
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

/** Releases the leaked memory after its fault has ended. */
export function recover(): void {
  leaked.length = 0;
}
