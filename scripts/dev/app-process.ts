import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { node, root } from '../setup.mjs';

/** The folder of the development bundle. */
export const devFolder = join(root, 'dist', 'dev');
const standby = pathToFileURL(join(root, 'scripts', 'dev', 'standby.mjs')).href;
const stopWithinMs = 10_000;

/** A home process of the development bundle. It loads its code at once, and opens the system when `run` lets it. */
export class AppProcess {
  /** Whether its code has loaded. When it has not, the process has printed why and ended. */
  readonly loaded: Promise<boolean>;
  /** Resolves with the lines that announce it, or with `undefined` when it has ended before. */
  readonly ready: Promise<readonly string[] | undefined>;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(inspect: string | undefined) {
    this.#child = spawn(node(), ['--enable-source-maps', '--import', standby, join(devFolder, 'app.js')], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...(inspect !== undefined && { KERF_INSPECT: inspect }) },
    });
    this.#child.stdin?.on('error', () => {});
    this.exited = once(this.#child, 'exit').then(([code]) => code);
    const lines: string[] = [];
    const heard = Promise.withResolvers<true>();
    const announced = Promise.withResolvers<readonly string[]>();
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line === 'loaded') return heard.resolve(true);
      lines.push(line);
      // The announcement is written at once.
      if (lines.length === 1) setImmediate(() => announced.resolve(lines));
    });
    this.loaded = Promise.race([heard.promise, this.exited.then(() => false)]);
    this.ready = Promise.race([announced.promise, this.exited.then(() => undefined)]);
  }

  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Opens the system. */
  run(): void {
    this.#child.stdin?.end('run\n');
  }

  /** Ends the process in order, and kills it when that takes too long. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    if (!this.runs) return;
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), stopWithinMs);
    await this.exited;
    clearTimeout(late);
  }
}
