import { statfsSync } from 'node:fs';
import { errorCode } from './error-code.ts';

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full (ENOSPC); make room',
  EDQUOT: 'the quota of this user on the disk is used up (EDQUOT); make room, or raise the quota',
};

/** Returns the reason and the remedy for an error that means that the disk is full; `undefined` for any other error. */
export function whyDiskFull(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && Object.hasOwn(causes, code) ? causes[code] : undefined;
}

/** SQLite grows its index in steps of this size. Its error for a failed step does not name a full disk as the reason. */
const neededBytes = 64 * 1024;

/** Returns the reason and the remedy when the disk of a folder is full, for callers whose own error does not tell. */
export function whyNoRoom(folder: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < neededBytes ? causes.ENOSPC : undefined;
  } catch {
    return undefined;
  }
}
