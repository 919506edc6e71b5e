// Programs in Go, built from the sources of their modules.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../setup.mjs';
import { downloadFolder } from './downloads.ts';
import { find } from './processes.ts';

interface Recipe {
  readonly name: string;
  readonly version: string;
  /** Lines of go.mod: exact versions of the modules. The checksum database vouches for their content. */
  readonly modules: string;
  /** The package to build, unless `source` is its main file. */
  readonly package?: string;
  readonly source?: string;
}

/** A program that is built once for all checkouts of this user. */
export class GoProgram {
  readonly #recipe: Recipe;

  constructor(recipe: Recipe) {
    this.#recipe = recipe;
  }

  /** The path of the program. Another recipe has another path. */
  get path(): string {
    const { name, version } = this.#recipe;
    const hash = createHash('sha256').update(JSON.stringify(this.#recipe)).digest('hex').slice(0, 8);
    return join(downloadFolder(`${name}-${version}-${hash}`), name);
  }

  installed(): boolean {
    return existsSync(this.path);
  }

  /** Builds the program. Throws one line when Go is missing or too old, or when a module cannot be fetched or compiled. */
  async install(): Promise<void> {
    const { name, modules, source } = this.#recipe;
    const go = find('go', ['/usr/local/go/bin']);
    if (!go)
      throw new Error(`${name} is built from source, and there is no Go on this machine; install Go 1.26 or later`);
    mkdirSync(dirname(this.path), { recursive: true });
    const folder = mkdtempSync(join(dirname(this.path), 'build-'));
    writeFileSync(join(folder, 'go.mod'), `module kerf/${name}\n\ngo 1.26.0\n\n${modules.trim()}\n`);
    if (source) writeFileSync(join(folder, 'main.go'), source);
    try {
      await this.#build(go, folder);
      renameSync(join(folder, name), this.path);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #build(go: string, folder: string): Promise<void> {
    const { name, package: main = '.' } = this.#recipe;
    const words = ['build', '-mod=mod', '-p', '2', '-trimpath', '-ldflags', '-s -w', '-o', name, main];
    const env = { ...process.env, CGO_ENABLED: '0' };
    await promisify(execFile)(go, words, { cwd: folder, env, maxBuffer: 2 ** 26 }).catch(
      (error: { stderr?: string }) => {
        throw new Error(`${name} cannot be built from source: ${reasonIn(error.stderr ?? messageOf(error))}`, {
          cause: error,
        });
      },
    );
  }
}

/** Returns the error of Go as one line, without its reports of progress. */
function reasonIn(output: string): string {
  const lines = output.split('\n').filter((line) => line && !/^go: (downloading|finding|found|extracting) /.test(line));
  return lines
    .map((line) => line.trim())
    .join(' ')
    .slice(0, 400);
}
