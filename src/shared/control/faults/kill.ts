import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTrap } from '../../kernel/context/index.ts';

/**
 * Kills this process (SIGKILL) when it first reaches the crash point `point`; with `point@3`, the third time. This happens once for
 * each data folder: a later process passes the point.
 */
export function killAt(point: string, dataDir: string): void {
  const [name, times = '1'] = point.split('@');
  const folder = join(dataDir, 'fault-points');
  let left = Number(times);
  setTrap((reached) => {
    if (reached !== name) return;
    left -= 1;
    if (left === 0 && isFirst(folder, point)) process.kill(process.pid, 'SIGKILL');
  });
}

function isFirst(folder: string, point: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(join(folder, encodeURIComponent(point)), '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
