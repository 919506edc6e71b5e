import { copyFileSync, mkdirSync } from 'node:fs';
import { defineConfig } from 'rolldown';
import { assets, externals, oneByte } from './scripts/bundling.ts';

const copyAssets = {
  name: 'copy-assets',
  writeBundle() {
    mkdirSync('dist/docs', { recursive: true });
    for (const file of assets) {
      copyFileSync(`node_modules/swagger-ui-dist/${file}`, `dist/docs/${file}`);
    }
  },
};

export default defineConfig({
  input: 'src/app.ts',
  platform: 'node',
  external: externals,
  // A broker's client is a chunk of its own, read only by who uses that broker.
  output: {
    ...{ dir: 'dist/.new', format: 'esm', entryFileNames: 'app.js', chunkFileNames: 'chunks/[name]-[hash].js' },
    // Only a process with --enable-source-maps reads the maps.
    sourcemap: true,
    // scripts/setup.mjs puts the bundle one folder higher.
    sourcemapPathTransform: (path) => path.replace('../', ''),
  },
  plugins: [copyAssets, oneByte],
});
