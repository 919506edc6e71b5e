import { type ChildProcess, spawn } from 'node:child_process';
import { z } from 'zod';
import { edgeFaultSchema } from '../faults/index.ts';
import type { Log } from '../observability/index.ts';

/** What a service tells the process that started it, and the other way round. */
const fromService = z.object({ type: z.literal('ready'), address: z.url(), reachedAt: z.string() });
export const toService = z.discriminatedUnion('type', [
  /** Where the instances of the other services are. */
  z.object({ type: z.literal('addresses'), addresses: z.record(z.string(), z.array(z.string())) }),
  z.object({ type: z.literal('faults'), faults: z.array(edgeFaultSchema) }),
  z.object({ type: z.literal('drain') }),
  z.object({ type: z.literal('stop') }),
]);
export type ToService = z.infer<typeof toService>;

export type ServiceState = 'starting' | 'ready' | 'waiting' | 'stopped';

interface Events {
  /** `reachedAt`: where its module is called, by the transport of its placement. */
  onReady(reachedAt: string): void;
  onGone(): void;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** One that lived this long has earned a quick restart. */
const steadyMs = 10_000;

/** A module running as a process of its own: started, watched, started again with back-off, stopped with its parent. */
export class ServiceProcess {
  state: ServiceState = 'stopped';
  pid: number | undefined;
  since: string | undefined;
  /** Where its internal listener is, while it is ready. */
  address: string | undefined;
  /** How often it has ended since it was first started. */
  ends = 0;
  #child: ChildProcess | undefined;
  #failures = 0;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly module: string,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly events: Events,
    private readonly log: Log,
  ) {}

  start(): void {
    const startedAt = Date.now();
    this.state = 'starting';
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, '--only', this.module], {
      env: this.environment,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.pid = child.pid;
    child.on('message', (message) => {
      const ready = fromService.safeParse(message);
      if (!ready.success) return;
      this.state = 'ready';
      this.since = new Date().toISOString();
      this.address = ready.data.address;
      this.events.onReady(ready.data.reachedAt);
    });
    // One that cannot be started has no exit of its own.
    child.on('error', ({ message }) => child.pid === undefined && this.#exited(startedAt, message));
    child.on('exit', (code, signal) => this.#exited(startedAt, signal ?? `code ${code}`));
  }

  /** Whatever ends it from now on, it is not started again. */
  expectEnd(): void {
    clearTimeout(this.#timer);
    this.#ending = true;
  }

  send(message: ToService): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** Lets it drain, and ends it when it has not after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.expectEnd();
    const child = this.#child;
    this.state = 'stopped';
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.send({ type: 'stop' });
    const last = setTimeout(() => child.kill('SIGKILL'), withinMs);
    await gone;
    clearTimeout(last);
  }

  #exited(startedAt: number, how: string): void {
    this.pid = undefined;
    this.address = undefined;
    this.ends += 1;
    this.events.onGone();
    if (this.#ending) {
      this.state = 'stopped';
      return;
    }
    this.#failures = Date.now() - startedAt > steadyMs ? 0 : this.#failures + 1;
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, this.#failures - 1));
    this.state = 'waiting';
    this.log.error({ module: this.module, how, delayMs }, 'the process of a module ended; starting it again');
    this.#timer = setTimeout(() => this.start(), delayMs);
  }
}
