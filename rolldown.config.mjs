import { copyFileSync, mkdirSync } from 'node:fs';
import { defineConfig } from 'rolldown';
import { externals, oneByte } from './scripts/bundling.ts';

/** The reference page's assets go beside the bundle, so that it needs nothing of node_modules but native parts. */
const copyAssets = {
  name: 'copy-assets',
  writeBundle() {
    mkdirSync('dist/docs', { recursive: true });
    for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
      copyFileSync(`node_modules/swagger-ui-dist/${file}`, `dist/docs/${file}`);
    }
  },
};

export default defineConfig({
  input: 'src/app.ts',
  platform: 'node',
  external: externals,
  // A broker's client is a chunk of its own, read only by who uses that broker.
  output: { dir: 'dist/.new', format: 'esm', entryFileNames: 'app.js', chunkFileNames: 'chunks/[name]-[hash].js' },
  plugins: [copyAssets, oneByte],
});
