import { type ChildProcess, fork } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Caller {
  readonly resolve: (ended: Ended) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Runs commands one after another in one process, which loads their modules once. A command costs milliseconds there, and a
 * second of processor time in a process of its own. The process ends with the one that created it.
 */
export class CommandHost {
  readonly #process: ChildProcess;
  readonly #callers = new Map<number, Caller>();
  #count = 0;

  /** `folder` is the repository that has the commands. */
  constructor(folder = '.') {
    this.#process = fork('test/harness/command-host.mjs', { cwd: folder, execArgv: [], stdio: 'inherit' });
    this.#process.unref();
    this.#process.channel?.unref();
    this.#process.on('message', ({ id, ended }: { id: number; ended: Ended }) => {
      this.#callers.get(id)?.resolve(ended);
      this.#callers.delete(id);
    });
    this.#process.once('exit', (code) => {
      for (const { reject } of this.#callers.values()) reject(new Error(`the host of the commands ended with ${code}`));
    });
  }

  run(command: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#callers.set(id, { resolve, reject });
      this.#process.send({ id, command, words, env: { PATH: process.env.PATH, ...env } });
    });
  }
}
