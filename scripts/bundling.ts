// Common settings of the bundles of this project.
import type { Plugin } from 'rolldown';

/** Packages with native code or data files stay outside. All other code goes into a bundle, which starts five times faster. */
export const externals = [
  'better-sqlite3',
  '@node-rs/argon2',
  '@platformatic/kafka',
  '@grpc/reflection',
  'grpc-health-check',
];

/** The files of the API reference in swagger-ui-dist. They go beside the bundle, so that it needs nothing of node_modules but native parts. */
export const assets = ['swagger-ui.css', 'swagger-ui-bundle.js'];

/**
 * Writes characters beyond Latin-1 as escapes. A single one would make a process keep the whole program in two bytes for each
 * character.
 */
export const oneByte: Plugin = {
  name: 'one-byte',
  renderChunk: (code) => ({
    code: code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    // Every line keeps its number, so the source map stays as it is.
    map: null,
  }),
};
