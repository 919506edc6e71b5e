import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PlantedViolation } from './violations.ts';

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly line?: number;
  readonly to?: string;
  readonly why: string;
  readonly add?: string;
}

export interface Report {
  readonly ok: boolean;
  readonly counts: { readonly files: number };
  readonly rules: readonly string[];
  readonly violations: readonly Violation[];
}

const project = process.cwd();
const parts = [
  ...['src', 'scripts', 'test/harness', '.dependency-cruiser.js'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'rolldown.config.mjs'],
];

/** A copy of the project for planted violations. It has the project's own check and architecture. */
export class Copy {
  readonly #root = mkdtempSync(join(tmpdir(), 'kerf-boundaries-'));

  constructor() {
    for (const path of parts) {
      cpSync(join(project, path), join(this.#root, path), { recursive: true });
    }
    symlinkSync(join(project, 'node_modules'), join(this.#root, 'node_modules'), 'junction');
  }

  plant(violation: PlantedViolation): void {
    for (const [path, content] of Object.entries(violation)) {
      const file = join(this.#root, path);
      mkdirSync(dirname(file), { recursive: true });
      if (typeof content === 'object') symlinkSync(content.linksTo, file);
      else writeFileSync(file, typeof content === 'string' ? content : content(readFileSync(file, 'utf8')));
    }
  }

  remove(path: string): void {
    rmSync(join(this.#root, path), { recursive: true });
  }

  /** Runs the check. Returns its exit code and output, as a developer sees them. */
  check(...words: string[]): { status: number | null; text: string } {
    const run = join(this.#root, 'scripts', 'kerf.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [run, 'boundaries', ...words], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    return { status, text: stdout + stderr };
  }

  report(): Report {
    return JSON.parse(this.check('--json').text);
  }

  /** Removes an adapter, or an optional part of control: its folder, and its import and call in src/app.ts. */
  removeListed(ring: 'adapters' | 'control', name: string): void {
    this.remove(`src/shared/${ring}/${name}`);
    const call = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    this.plant({
      'src/app.ts': (text) =>
        text
          .split('\n')
          .filter((line) => !line.includes(`'kerf/${ring}/${name}'`))
          .join('\n')
          .replace(new RegExp(`\\b${call}\\(\\), |(, )?\\b${call}\\(\\)`), ''),
    });
  }

  /** Adds an adapter: its folder with this `index.ts`, and its import and call in src/app.ts. */
  addAdapter(name: string, index: string): void {
    this.plant({
      [`src/shared/adapters/${name}/index.ts`]: index,
      'src/app.ts': (text) =>
        `import { ${name} } from 'kerf/adapters/${name}';\n${text.replace('adapters: [', `adapters: [${name}(), `)}`,
    });
  }

  /** Returns the compiler's errors in the production code, without tests. Empty when there are none. */
  typeErrors(): string {
    const tests = ['test', 'cases', 'scene'].map((kind) => `src/**/*.${kind}.ts`);
    const config = { extends: './tsconfig.json', include: ['src'], exclude: [...tests, 'src/shared/kernel/testing'] };
    this.plant({ 'tsconfig.run.json': JSON.stringify(config) });
    const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
    return this.#run(compiler, '--noEmit', '-p', 'tsconfig.run.json').stdout;
  }

  /** Builds the program; returns its path. */
  build(): string {
    const { status, stderr } = this.#run('-e', "import('./scripts/setup.mjs').then(({ build }) => build())");
    if (status !== 0) throw new Error(stderr);
    return join(this.#root, 'dist', 'app.js');
  }

  #run(...words: string[]) {
    return spawnSync(process.execPath, words, { cwd: this.#root, encoding: 'utf8' });
  }

  delete(): void {
    rmSync(this.#root, { recursive: true });
  }
}
