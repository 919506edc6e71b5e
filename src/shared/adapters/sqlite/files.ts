import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** Writes all of `bytes` at `position`. Throws when the file accepts no more bytes. A full disk may accept a part first. */
export function writeWhole(descriptor: number, bytes: Buffer, position: number, write = writeSync): void {
  for (let at = 0; at < bytes.length; ) {
    const written = write(descriptor, bytes, at, bytes.length - at, position + at);
    if (written === 0) throw new Error('the file takes no more bytes');
    at += written;
  }
}

/** Syncs a file to disk, or the created and removed entries of a folder. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
