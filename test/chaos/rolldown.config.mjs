import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';
import { externals } from '../../scripts/bundling.ts';

const faultyHost = fileURLToPath(new URL('./faulty-host.ts', import.meta.url));

/** `src/app.ts` as it is, over a host that lets a chaos run hang handlers, stall commits and shift the clock. */
const release = {
  input: 'src/app.ts',
  platform: 'node',
  external: externals,
  output: { dir: 'dist', format: 'esm', entryFileNames: 'faulty-app.js', chunkFileNames: 'chunks/[name]-[hash].js' },
  plugins: [
    {
      name: 'faulty-host',
      resolveId: (source, importer) =>
        importer?.endsWith('/src/app.ts') && source === 'kerf/control/host' ? faultyHost : undefined,
    },
  ],
};

const run = {
  input: 'test/chaos/main.ts',
  platform: 'node',
  external: externals,
  output: { file: 'dist/chaos.mjs', format: 'esm' },
};

export default defineConfig([release, run]);
