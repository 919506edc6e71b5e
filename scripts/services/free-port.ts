import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Returns a free port outside the range from which the system assigns ports to outgoing connections. With a count, returns the
 * first of so many consecutive free ports.
 */
export async function freePort(count = 1): Promise<number> {
  const first = randomInt(20_000, 32_000);
  const ports = Array.from({ length: count }, (_, index) => first + index);
  const free = await Promise.all(ports.map(isFree));
  return free.every(Boolean) ? first : freePort(count);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
