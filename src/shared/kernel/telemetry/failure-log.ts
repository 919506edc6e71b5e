import { type Clock, steadyClock } from '../context/index.ts';
import type { Log } from './log.ts';

const quietMs = 60_000;
const maxKinds = 200;
const anyOther = 'any other';

export interface Failure {
  /** What failed, in the words of the log. */
  readonly message: string;
  readonly error: unknown;
  readonly level?: 'error' | 'warn' | 'info';
  /** What tells this kind of failure from others, beside the error: the type of an event, the step of a saga. */
  readonly kind?: string;
  /** What the line says beside the error. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

interface Kind {
  loggedAt: number;
  suppressed: number;
}

/**
 * Logs failures that may come again and again. The first of a kind is logged at once, with its stack. Further ones of the same
 * kind are counted for a minute; the next line of the kind says how many were `suppressed`. Two failures are of one kind when
 * their message, `kind` and error agree; errors agree by name, code and the place in the code, not by their text. It knows 200
 * kinds at a time; what comes beyond counts as one.
 */
export class FailureLog {
  readonly #kinds = new Map<string, Kind>();
  private readonly log: Log;
  private readonly clock: Clock;

  constructor(log: Log, clock: Clock) {
    this.log = log;
    this.clock = clock;
  }

  add({ message, error, level = 'error', kind = '', fields }: Failure): void {
    const now = this.clock.now();
    const known = this.#kindOf(`${message} ${kind} ${signatureOf(error)}`, now);
    if (known && isQuiet(known.loggedAt, now)) {
      known.suppressed += 1;
      return;
    }
    const suppressed = known?.suppressed ?? 0;
    if (known) Object.assign(known, { loggedAt: now, suppressed: 0 });
    this.log[level]({ error, ...fields, ...(suppressed > 0 && { suppressed }) }, message);
  }

  /** Nothing for a kind that is logged for the first time; it is known from then on. */
  #kindOf(name: string, now: number): Kind | undefined {
    const known = this.#kinds.get(name);
    if (known) return known;
    if (this.#kinds.size >= maxKinds) this.#forget(now);
    if (this.#kinds.size >= maxKinds && name !== anyOther) return this.#kindOf(anyOther, now);
    this.#kinds.set(name, { loggedAt: now, suppressed: 0 });
    return undefined;
  }

  /** Kinds whose minute is over. */
  #forget(now: number): void {
    for (const [kind, { loggedAt, suppressed }] of this.#kinds) {
      if (isQuiet(loggedAt, now)) continue;
      this.#kinds.delete(kind);
      if (suppressed > 0) this.log.warn({ kind, suppressed }, 'failures of one kind were suppressed');
    }
  }
}

/** Lets a line of the log through once a minute. */
export class OncePerMinute {
  #loggedAt = Number.NEGATIVE_INFINITY;
  private readonly clock: Clock;

  constructor(clock: Clock = steadyClock) {
    this.clock = clock;
  }

  /** Whether the line may be logged now; from then on it may not for a minute. */
  passes(): boolean {
    const now = this.clock.now();
    if (isQuiet(this.#loggedAt, now)) return false;
    this.#loggedAt = now;
    return true;
  }
}

function isQuiet(loggedAt: number, now: number): boolean {
  return now >= loggedAt && now - loggedAt < quietMs;
}

/** The place is where the error was made that caused all others. */
function signatureOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  if (!(root instanceof Error)) return typeof root;
  const { name, stack = '' } = root;
  const { code = '' } = root as { code?: unknown };
  return `${name} ${String(code)} ${/^\s+at .*$/m.exec(stack)?.[0] ?? ''}`;
}
