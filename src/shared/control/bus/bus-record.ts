import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isBrokerUrl, shownAddress } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';

interface BusSettings {
  readonly BUS: string;
  readonly BUS_BEFORE?: string | undefined;
  readonly DATA_DIR: string;
}

/**
 * Records in the data folder which bus carries events, without user or password. Logs a warning when another broker carried them
 * before and `BUS_BEFORE` is not set: that broker may keep events that no process takes now.
 */
export function recordBus({ BUS, BUS_BEFORE, DATA_DIR }: BusSettings, log: Log): void {
  const file = join(DATA_DIR, 'bus');
  const now = shownAddress(BUS);
  const before = readOr(file, now);
  if (before === now) return void write(DATA_DIR, file, now);
  if (isBrokerUrl(before) && !BUS_BEFORE) {
    const cure = `set BUS_BEFORE to ${before} (with its user and password) until that broker keeps no more events`;
    log.warn(
      { before, now, cure },
      'another broker carried events before; nobody receives the events that it still keeps',
    );
  }
  write(DATA_DIR, file, now);
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return otherwise;
  }
}

function write(folder: string, file: string, text: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
}
