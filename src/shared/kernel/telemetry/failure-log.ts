import { type Clock, steadyClock } from '../context/index.ts';
import type { Log } from './log.ts';

const quietMs = 60_000;
const maxKinds = 200;
const anyOther = 'any other';

export interface Failure {
  /** The message of the log line: it names the failed work. */
  readonly message: string;
  readonly error: unknown;
  readonly level?: 'error' | 'warn' | 'info';
  /** Distinguishes this kind of failure from others, beside the error: for example the type of an event or the step of a saga. */
  readonly kind?: string;
  /** Further fields of the log line, beside the error. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

interface Kind {
  loggedAt: number;
  suppressed: number;
}

/**
 * Logs failures that may repeat. Logs the first failure of a kind at once, with its stack. Counts further failures of that kind for one
 * minute; the next line of the kind says how many were `suppressed`. Two failures are of one kind when their message, `kind` and error
 * match. Errors match by name, code and place in the code, not by text. Keeps 200 kinds at a time; all further kinds count as one.
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

  /** Returns a known kind. For a new kind, returns `undefined` and remembers it. */
  #kindOf(name: string, now: number): Kind | undefined {
    const known = this.#kinds.get(name);
    if (known) return known;
    if (this.#kinds.size >= maxKinds) this.#forget(now);
    if (this.#kinds.size >= maxKinds && name !== anyOther) return this.#kindOf(anyOther, now);
    this.#kinds.set(name, { loggedAt: now, suppressed: 0 });
    return undefined;
  }

  /** Forgets the kinds whose minute is over, and logs how many failures of each were suppressed. */
  #forget(now: number): void {
    for (const [kind, { loggedAt, suppressed }] of this.#kinds) {
      if (isQuiet(loggedAt, now)) continue;
      this.#kinds.delete(kind);
      if (suppressed > 0) this.log.warn({ kind, suppressed }, 'failures of one kind were suppressed');
    }
  }
}

/** Lets a log line pass at most once a minute. */
export class OncePerMinute {
  #loggedAt = Number.NEGATIVE_INFINITY;
  private readonly clock: Clock;

  constructor(clock: Clock = steadyClock) {
    this.clock = clock;
  }

  /** Returns whether the caller may log the line now. After `true`, returns `false` for one minute. */
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

/** Returns name, code and place of the root cause. The place is the code that created it. */
function signatureOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  if (!(root instanceof Error)) return typeof root;
  const { name, stack = '' } = root;
  const code = 'code' in root ? root.code : '';
  return `${name} ${String(code)} ${/^\s+at .*$/m.exec(stack)?.[0] ?? ''}`;
}
