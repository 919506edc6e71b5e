import { statfsSync } from 'node:fs';

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full (ENOSPC); make room',
  EDQUOT: 'the quota of this user on the disk is used up (EDQUOT); make room, or raise the quota',
};

/** What to do about an error that means that the disk has no room; `undefined` for any other. */
export function whyDiskFull(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && Object.hasOwn(causes, code) ? causes[code] : undefined;
}

/** SQLite makes its index in steps of this size, and does not say that a full disk is the reason when it cannot. */
const neededBytes = 64 * 1024;

/** Looks whether the disk of a folder has no room, for callers whose own error does not tell. */
export function whyNoRoom(folder: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < neededBytes ? causes.ENOSPC : undefined;
  } catch {
    return undefined;
  }
}
