import { type ChildProcess, spawn } from 'node:child_process';
import { background, pause, steadyClock } from '../../../kernel/context/index.ts';
import { safeParse } from '../../../kernel/contract/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { Enrolment, PublicJwk } from '../../identity/index.ts';
import { enrolledVariable } from './enrolment.ts';
import { callsPausedVariable, type FromModuleProcess, fromModuleProcess, type ToModuleProcess } from './messages.ts';

/** The state of a process that serves. */
interface Ready {
  readonly kind: 'ready';
  readonly since: string;
  /** The address of its internal listener. */
  readonly address: string;
  /** The address of its module, by the transport of its placement. */
  readonly reachedAt: string;
  /** The contract of its module, as the process describes it. */
  readonly contract: unknown;
}
type State = Ready | { readonly kind: 'starting' | 'waiting' | 'stopped' };

/** How a process ended, and whether this process had decided to end it. */
export interface ProcessEnd {
  readonly how: string;
  readonly reason: 'planned' | 'crash';
}

export interface ModuleProcessDependencies {
  readonly module: string;
  /** The program that it runs: this process's program, or another release of it. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether it fetches no calls from a broker until `fetchCalls`. */
  readonly callsPaused: boolean;
  /** Lets the owner of the private key call in the name of the module. */
  readonly enrol: (publicKey: PublicJwk) => Promise<Enrolment>;
  readonly log: Log;
  /** Takes over the final state of a part of control in the process. */
  readonly onFinalState: (part: string, state: unknown) => void;
  /** Called when the process is ready, and with an end when it has ended. */
  readonly onChange: (end?: ProcessEnd) => void;
}

/** Returns the options of Node.js for a child. One process can have a port for its inspector, so the child takes a free one. */
function nodeOptions(): string[] {
  return process.execArgv.map((option) => option.replace(/^(--inspect(?:-brk|-wait)?)(=.*)?$/, '$1=127.0.0.1:0'));
}

const firstDelayMs = 100;
/** How often the process must prove that its event loop turns, and how long its answer may take. */
const turnsEveryMs = 1_000;
const unresponsiveAfterMs = 4_000;
/** Time for an answer that this process has received but not read, because its own loop was blocked. */
const unreadMs = 1_000;
const foreverMs = 2 ** 31 - 1;
const longestDelayMs = 10_000;
/** A process that lived longer than this restarts quickly. */
const steadyMs = 10_000;

interface PendingRequest {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Runs a module in a process of its own: starts it, watches it, restarts it with backoff, and stops it with its parent. */
export class ModuleProcess {
  state: State = { kind: 'stopped' };
  pid: number | undefined;
  /** How often the process has ended since its first start. */
  ends = 0;
  /** Whether the process has not answered for 5 s: its event loop is blocked, or the process is stopped. */
  unresponsive = false;
  #child: ChildProcess | undefined;
  #failures = 0;
  #ending = false;
  #callsPaused: boolean;
  #publicKey: PublicJwk | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, PendingRequest>();
  private readonly parts: ModuleProcessDependencies;

  constructor(parts: ModuleProcessDependencies) {
    this.parts = parts;
    this.#callsPaused = parts.callsPaused;
  }

  get ready(): Ready | undefined {
    return this.state.kind === 'ready' ? this.state : undefined;
  }

  /** Starts the process in the background: it outlives the operator's request. */
  start(): void {
    background.run(() => this.#start());
  }

  #start(): void {
    const startedAt = performance.now();
    const { program, module, environment } = this.parts;
    const env = {
      ...environment,
      [enrolledVariable]: 'yes',
      ...(this.#callsPaused && { [callsPausedVariable]: 'yes' }),
    };
    this.#publicKey = undefined;
    this.state = { kind: 'starting' };
    const child = spawn(process.execPath, [...nodeOptions(), program, '--only', module], {
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.pid = child.pid;
    child.on('message', (message) => {
      const said = safeParse(fromModuleProcess, message);
      if (said.success) this.#hear(said.data);
    });
    // A process that cannot be started emits no `exit`.
    child.on('error', ({ message }) => child.pid === undefined && this.#exited(startedAt, message));
    child.on('exit', (code, signal) => this.#exited(startedAt, signal ?? `code ${code}`));
  }

  /** Lets the process, and each later restart of it, fetch calls from the broker. */
  async fetchCalls(withinMs: number): Promise<void> {
    this.#callsPaused = false;
    await this.ask('fetch-calls', undefined, withinMs);
  }

  /** Enrolls the process, and again after the system's keys have changed. Does nothing before the process asks for it. */
  async enrol(): Promise<void> {
    const publicKey = this.#publicKey;
    if (!publicKey) return;
    const enrolment = await this.parts.enrol(publicKey);
    if (publicKey === this.#publicKey) this.send({ type: 'enrolled', enrolment });
  }

  /** Prevents a restart, however the process ends from now on. */
  expectEnd(): void {
    clearTimeout(this.#timer);
    this.#ending = true;
  }

  send(message: ToModuleProcess): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** Asks the process and resolves with its answer. Rejects when it reports a failure, ends, or does not answer within `withinMs`. */
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

  /** Lets the process drain; kills it when it has not ended after `withinMs`. */
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

  /** Asks the process again and again, until it ends. Any answer will do, also from a release that does not know the question. */
  async #watch(child: ChildProcess): Promise<void> {
    const { module, log } = this.parts;
    const { pid } = child;
    while (child === this.#child && child.connected) {
      const answered = this.ask('turn', undefined, foreverMs).catch(() => {});
      const inTime = await Promise.race([answered.then(() => true), silence()]);
      if (!inTime) {
        this.unresponsive = true;
        log.error(
          { module, pid },
          'the process of a module does not answer; its event loop is blocked, or it is stopped',
        );
        await answered;
      }
      if (this.unresponsive) log.warn({ module, pid }, 'the process of a module answers again');
      this.unresponsive = false;
      await pause(steadyClock, turnsEveryMs);
    }
  }

  #hear(said: FromModuleProcess): void {
    if (said.type === 'ready') {
      // This process has already decided to end it.
      if (this.#ending) return;
      const { address, reachedAt, contract } = said;
      this.state = { kind: 'ready', since: new Date().toISOString(), address, reachedAt, contract };
      if (this.#child) void this.#watch(this.#child);
      this.parts.onChange();
      return;
    }
    if (said.type === 'left') {
      this.parts.onFinalState(said.part, said.state);
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
    this.unresponsive = false;
    this.ends += 1;
    this.state = { kind: this.#ending ? 'stopped' : 'waiting' };
    for (const { reject } of [...this.#waiting.values()]) reject(new Error(`the process of ${module} ended: ${how}`));
    this.parts.onChange({ how, reason: this.#ending ? 'planned' : 'crash' });
    // The listener of `onChange` may have called `expectEnd`.
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

/** Resolves with false when an answer should have come. The last part of the time is for an answer that this process could not read yet. */
async function silence(): Promise<false> {
  await pause(steadyClock, unresponsiveAfterMs);
  await pause(steadyClock, unreadMs);
  return false;
}
