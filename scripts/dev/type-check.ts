import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** An answer of the worker: an error of tsconfig.json, or the type errors of some files, as text. */
export interface CheckAnswer {
  readonly id: number;
  readonly errors: string;
}

/** Checks the types of changed files in a thread of its own, which keeps what it knows of all other files. */
export class TypeCheck {
  readonly #worker = new Worker(fileURLToPath(new URL('./type-check-worker.ts', import.meta.url)), { stderr: false });
  readonly #waiting = new Map<number, (errors: string) => void>();
  #asked = 0;
  /** Resolves with the errors in tsconfig.json, which is empty when there are none. */
  readonly configured: Promise<string>;

  constructor() {
    this.configured = new Promise((resolve) => this.#waiting.set(0, resolve));
    this.#worker.on('message', ({ id, errors }: CheckAnswer) => {
      this.#waiting.get(id)?.(errors);
      this.#waiting.delete(id);
    });
  }

  /** Resolves with the type errors in these files and in their importers, with file and line; empty without errors. */
  check(files: readonly string[]): Promise<string> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ id, files });
    });
  }
}
