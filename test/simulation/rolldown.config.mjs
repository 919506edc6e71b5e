import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: 'test/simulation/main.ts',
  platform: 'node',
  external: ['better-sqlite3'],
  resolve: { alias: { '@node-rs/argon2': fileURLToPath(new URL('./quick-hashes.ts', import.meta.url)) } },
  output: { file: 'dist/simulate.mjs', format: 'esm' },
});
