// What the bundles of this project have in common.
import type { Plugin } from 'rolldown';

/** What has native parts or reads files of its own stays a package; everything else goes into a bundle, which starts five times faster than its parts. */
export const externals = [
  'better-sqlite3',
  '@node-rs/argon2',
  '@platformatic/kafka',
  '@grpc/reflection',
  'grpc-health-check',
];

/**
 * Writes characters beyond Latin-1 as escapes. One of them alone would have a process keep the whole program in two bytes for each
 * character.
 */
export const oneByte: Plugin = {
  name: 'one-byte',
  renderChunk: (code) =>
    code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
};
