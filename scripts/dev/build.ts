import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Plugin, watch } from 'rolldown';
import { assets, externals } from '../bundling.ts';
import { messageOf, root } from '../setup.mjs';
import { devFolder } from './app-process.ts';

/** A build after a change. `error` says with file and line why there is none. */
export interface Build {
  /** The paths of the files that changed, none at first. */
  readonly changed: readonly string[];
  readonly error?: string;
  /** When the change was seen, in milliseconds of `performance.now()`. */
  readonly since: number;
}

/** Lets `standby.mjs` decide when the program runs. The line numbers stay as they are. */
const waitForTurn: Plugin = {
  name: 'wait-for-turn',
  transform(code, id) {
    return id === join(root, 'src', 'app.ts') ? { code: `await globalThis.kerfStandby;${code}`, map: null } : undefined;
  },
};

/** Bundles `src/` with source maps, and again after each change. */
export function watchSource(onBuild: (build: Build) => void): void {
  rmSync(devFolder, { recursive: true, force: true });
  mkdirSync(join(devFolder, 'docs'), { recursive: true });
  for (const file of assets)
    copyFileSync(join(root, 'node_modules', 'swagger-ui-dist', file), join(devFolder, 'docs', file));
  const watcher = watch({
    cwd: root,
    input: join('src', 'app.ts'),
    platform: 'node',
    external: externals,
    logLevel: 'silent',
    plugins: [waitForTurn],
    output: {
      ...{ dir: devFolder, format: 'esm', entryFileNames: 'app.js', chunkFileNames: 'chunks/[name]-[hash].js' },
      sourcemap: true,
    },
    watch: { buildDelay: 20, clearScreen: false },
  });
  let changed = new Set<string>();
  let since = performance.now();
  let error: string | undefined;
  watcher.on('change', (id) => {
    if (changed.size === 0) since = performance.now();
    changed.add(id);
  });
  watcher.on('event', async (event) => {
    if (event.code === 'ERROR') error = shown(event.error);
    if (event.code === 'BUNDLE_END' || event.code === 'ERROR') await event.result?.close();
    if (event.code !== 'END') return;
    onBuild({ changed: [...changed], since, ...(error !== undefined && { error }) });
    changed = new Set();
    error = undefined;
  });
}

function shown(error: unknown): string {
  const message = messageOf(error).trim();
  return process.stderr.isTTY ? message : stripVTControlCharacters(message);
}
