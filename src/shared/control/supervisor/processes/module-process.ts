import { type ChildProcess, spawn } from 'node:child_process';
import { background } from '../../../kernel/context/index.ts';
import { safeParse } from '../../../kernel/contract/index.ts';
import type { Enrolment, PublicJwk } from '../../../kernel/identity/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import { enrolledVariable } from './enrolment.ts';
import { type FromModuleProcess, fromModuleProcess, heldBackVariable, type ToModuleProcess } from './messages.ts';

/** It serves. */
interface Ready {
  readonly kind: 'ready';
  readonly since: string;
  /** Where its internal listener is. */
  readonly address: string;
  /** Where its module is called, by the transport of its placement. */
  readonly reachedAt: string;
  /** What it says its module's contract is. */
  readonly contract: unknown;
}
type State = Ready | { readonly kind: 'starting' | 'waiting' | 'stopped' };

export interface ModuleProcessDependencies {
  readonly module: string;
  /** The program it runs: that of this process, or another release of it. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether it is to fetch no calls from a broker until `fetchCalls`. */
  readonly heldBack: boolean;
  /** Lets whoever has the private key call in the name of the module. */
  readonly enrol: (publicKey: PublicJwk) => Promise<Enrolment>;
  readonly log: Log;
  /** It is ready, or is so no more: `how` it ended then. */
  readonly onChange: (how?: string) => void;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** One that lived this long has earned a quick restart. */
const steadyMs = 10_000;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A module running as a process of its own: started, watched, started again with back-off, stopped with its parent. */
export class ModuleProcess {
  state: State = { kind: 'stopped' };
  pid: number | undefined;
  /** How often it has ended since it was first started. */
  ends = 0;
  #child: ChildProcess | undefined;
  #failures = 0;
  #ending = false;
  #heldBack: boolean;
  #publicKey: PublicJwk | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();
  private readonly parts: ModuleProcessDependencies;

  constructor(parts: ModuleProcessDependencies) {
    this.parts = parts;
    this.#heldBack = parts.heldBack;
  }

  get ready(): Ready | undefined {
    return this.state.kind === 'ready' ? this.state : undefined;
  }

  /** It outlives the operator's request that asks for it. */
  start(): void {
    background.run(() => this.#start());
  }

  #start(): void {
    const startedAt = performance.now();
    const { program, module, environment } = this.parts;
    const env = { ...environment, [enrolledVariable]: 'yes', ...(this.#heldBack && { [heldBackVariable]: 'yes' }) };
    this.#publicKey = undefined;
    this.state = { kind: 'starting' };
    const child = spawn(process.execPath, [...process.execArgv, program, '--only', module], {
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.pid = child.pid;
    child.on('message', (message) => {
      const said = safeParse(fromModuleProcess, message);
      if (said.success) this.#hear(said.data);
    });
    // One that cannot be started has no exit of its own.
    child.on('error', ({ message }) => child.pid === undefined && this.#exited(startedAt, message));
    child.on('exit', (code, signal) => this.#exited(startedAt, signal ?? `code ${code}`));
  }

  /** It is held back no more, and the next that is started in its place neither. */
  async fetchCalls(withinMs: number): Promise<void> {
    this.#heldBack = false;
    await this.ask('fetch-calls', undefined, withinMs);
  }

  /** The system's keys have changed: enrols it anew, once it has asked for it. */
  async enrol(): Promise<void> {
    const publicKey = this.#publicKey;
    if (!publicKey) return;
    const enrolment = await this.parts.enrol(publicKey);
    if (publicKey === this.#publicKey) this.send({ type: 'enrolled', enrolment });
  }

  /** Whatever ends it from now on, it is not started again. */
  expectEnd(): void {
    clearTimeout(this.#timer);
    this.#ending = true;
  }

  send(message: ToModuleProcess): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** What it answers. Rejects with what keeps it from that: why it cannot, that it ended, or that `withinMs` are over. */
  ask(what: string, given: unknown, withinMs: number): Promise<unknown> {
    const { module } = this.parts;
    if (!this.#child?.connected) return Promise.reject(new Error(`the process of ${module} does not run`));
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      const late = background.setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`process ${this.pid} of ${module} did not answer "${what}" within ${withinMs} ms`));
      }, withinMs);
      const settled = (settle: () => void) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        settle();
      };
      this.#waiting.set(id, {
        resolve: (result) => settled(() => resolve(result)),
        reject: (error) => settled(() => reject(error)),
      });
      this.send({ type: 'ask', id, what, given });
    });
  }

  /** Lets it drain, and ends it when it has not after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.expectEnd();
    const child = this.#child;
    this.state = { kind: 'stopped' };
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.send({ type: 'stop' });
    const last = background.setTimeout(() => child.kill('SIGKILL'), withinMs);
    await gone;
    clearTimeout(last);
  }

  #hear(said: FromModuleProcess): void {
    if (said.type === 'ready') {
      // It was told to end before it knew.
      if (this.#ending) return;
      const { address, reachedAt, contract } = said;
      this.state = { kind: 'ready', since: new Date().toISOString(), address, reachedAt, contract };
      this.parts.onChange();
      return;
    }
    if (said.type === 'enrol') {
      this.#publicKey = said.publicKey;
      void this.enrol();
      return;
    }
    const waiting = this.#waiting.get(said.id);
    if (said.failure === undefined) waiting?.resolve(said.result);
    else waiting?.reject(new Error(said.failure));
  }

  #exited(startedAt: number, how: string): void {
    const { module, log } = this.parts;
    this.pid = undefined;
    this.ends += 1;
    this.state = { kind: this.#ending ? 'stopped' : 'waiting' };
    for (const { reject } of [...this.#waiting.values()]) reject(new Error(`the process of ${module} ended: ${how}`));
    this.parts.onChange(how);
    // Whoever heard of it may have decided that this was the last time.
    if (this.#ending) {
      this.state = { kind: 'stopped' };
      return;
    }
    this.#failures = performance.now() - startedAt > steadyMs ? 0 : this.#failures + 1;
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, this.#failures - 1));
    log.error({ module, how, delayMs }, 'the process of a module ended; starting it again');
    this.#timer = background.setTimeout(() => this.start(), delayMs);
  }
}
