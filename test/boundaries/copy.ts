import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Sin } from './sins.ts';

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

/** A copy of the project to sin in, checked by the check and the architecture of the project itself. */
export class Copy {
  readonly #root = mkdtempSync(join(tmpdir(), 'kerf-boundaries-'));

  constructor() {
    for (const path of ['src', 'scripts', 'test/harness', '.dependency-cruiser.js', 'package.json', 'tsconfig.json']) {
      cpSync(join(project, path), join(this.#root, path), { recursive: true });
    }
    symlinkSync(join(project, 'node_modules'), join(this.#root, 'node_modules'), 'junction');
  }

  plant(sin: Sin): void {
    for (const [path, content] of Object.entries(sin)) {
      const file = join(this.#root, path);
      mkdirSync(dirname(file), { recursive: true });
      if (typeof content === 'object') symlinkSync(content.linksTo, file);
      else writeFileSync(file, typeof content === 'string' ? content : content(readFileSync(file, 'utf8')));
    }
  }

  remove(path: string): void {
    rmSync(join(this.#root, path), { recursive: true });
  }

  /** What a person sees. */
  check(...words: string[]): { status: number | null; text: string } {
    const main = join(this.#root, 'scripts', 'boundaries', 'main.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    return { status, text: stdout + stderr };
  }

  report(): Report {
    return JSON.parse(this.check('--json').text);
  }

  delete(): void {
    rmSync(this.#root, { recursive: true });
  }
}
