import type { Clock } from '../../context/index.ts';
import { SlidingWindow } from './window.ts';

export interface BreakerPolicy {
  /** Opens when at least this share of the calls in the window failed: above 0, to 1. */
  readonly failureShare: number;
  /** Fewer calls than this in the window say nothing about the share. */
  readonly minimumCalls: number;
  readonly windowMs: number;
  /** How long it is open at first; doubled each time that a probe fails, up to 2 s where that is longer. */
  readonly openMs: number;
}

export type BreakerState =
  | { readonly kind: 'closed' }
  /** Nothing is let through. Past its time it stays so until somebody calls. */
  | { readonly kind: 'open'; readonly since: number; readonly forMs: number }
  /** One probe at a time is let through; `probeSince` is there while one is under way. */
  | { readonly kind: 'half-open'; readonly successes: number; readonly probeSince?: number };

/** `unreachable`: no connection could be made. `faulty`: it was reached, and answered with a fault or not in time. */
export type CallFailure = 'unreachable' | 'faulty';

/** Leave to make one call; how the call ended is told with it. 0 is no leave. */
export type Pass = number;

const none: Pass = 0;
const unreachableInARow = 5;
const probesToClose = 2;
/** One that is back is found out this soon, without any call: a probe costs next to nothing. */
const longestWaitMs = 2_000;
/** A probe that is not heard of for so long is forgotten. */
const lostProbeMs = 30_000;

/**
 * Keeps calls away from one instance that does not work. Whoever gets a pass tells once how its call ended: `succeeded`,
 * `failed`, or `released` when it says nothing about the instance. What is told of a call from before the last change of
 * state is ignored, so that calls which time out late do not open it anew.
 */
export class Breaker {
  readonly #window: SlidingWindow;
  #state: BreakerState = { kind: 'closed' };
  /** The only pass that counts. */
  #pass: Pass = 1;
  #unreachable = 0;
  #openMs: number;
  private readonly policy: BreakerPolicy;
  private readonly clock: Clock;
  /** Told when the kind of state changes. It must not throw. */
  private readonly onChange: (state: BreakerState) => void;

  constructor(policy: BreakerPolicy, clock: Clock, onChange: (state: BreakerState) => void = () => {}) {
    this.policy = policy;
    this.clock = clock;
    this.onChange = onChange;
    this.#window = new SlidingWindow(policy.windowMs);
    this.#openMs = policy.openMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether `admits()` would give a pass now. Claims nothing: for who chooses among many. */
  get wouldAdmit(): boolean {
    const state = this.#state;
    if (state.kind === 'closed') return true;
    if (state.kind === 'open') return this.#isOver(state.since, state.forMs);
    // A probe that is never heard of again must not keep the way closed for ever.
    return state.probeSince === undefined || this.#isOver(state.probeSince, lostProbeMs);
  }

  /** How long nothing will be let through for certain; 0 unless it is open. */
  get retryAfterMs(): number {
    const state = this.#state;
    if (state.kind !== 'open' || this.wouldAdmit) return 0;
    return state.since + state.forMs - this.clock.now();
  }

  /** A pass, or 0 for no. When it is half-open, or open for long enough, the pass is that of the one probe. */
  admits(): Pass {
    const state = this.#state;
    if (state.kind === 'closed') return this.#pass;
    if (!this.wouldAdmit) return none;
    const successes = state.kind === 'half-open' ? state.successes : 0;
    this.#become({ kind: 'half-open', successes, probeSince: this.clock.now() });
    return this.#pass;
  }

  succeeded(pass: Pass): void {
    if (pass !== this.#pass) return;
    if (this.#state.kind === 'half-open') this.#probed(this.#state.successes + 1);
    else this.#count(false);
  }

  failed(pass: Pass, how: CallFailure): void {
    if (pass !== this.#pass) return;
    if (this.#state.kind === 'half-open')
      this.#open(Math.min(Math.max(longestWaitMs, this.policy.openMs), this.#openMs * 2));
    else this.#count(true, how === 'unreachable' ? this.#unreachable + 1 : 0);
  }

  /** The instance may work again, for all that is known by other means: the next call is the probe. */
  expire(): void {
    if (this.#state.kind === 'open') this.#state = { ...this.#state, forMs: 0 };
  }

  /** It is known by other means that the instance does not work: opens, unless it has already. */
  trip(): void {
    if (this.#state.kind === 'closed') this.#open(this.policy.openMs);
  }

  /** The call ended in a way that says nothing, such as cancelled: a probe makes room for the next. */
  released(pass: Pass): void {
    if (pass === this.#pass && this.#state.kind === 'half-open') this.#probed(this.#state.successes);
  }

  #count(failed: boolean, unreachable = 0): void {
    this.#unreachable = unreachable;
    this.#window.count(this.clock.now(), failed);
    if (failed && (unreachable >= unreachableInARow || this.#isFailing())) this.#open(this.policy.openMs);
  }

  #probed(successes: number): void {
    if (successes < probesToClose) {
      this.#become({ kind: 'half-open', successes });
      return;
    }
    this.#window.clear();
    this.#unreachable = 0;
    this.#become({ kind: 'closed' });
  }

  #open(forMs: number): void {
    this.#openMs = forMs;
    this.#become({ kind: 'open', since: this.clock.now(), forMs });
  }

  /** What was let through before is of the past. */
  #become(state: BreakerState): void {
    const before = this.#state.kind;
    this.#pass += 1;
    this.#state = state;
    if (state.kind !== before) this.onChange(state);
  }

  #isFailing(): boolean {
    const { calls, failures } = this.#window.sum;
    return calls >= this.policy.minimumCalls && failures >= calls * this.policy.failureShare;
  }

  /** A clock that was set back does not make anybody wait. */
  #isOver(since: number, lengthMs: number): boolean {
    const passedMs = this.clock.now() - since;
    return passedMs < 0 || passedMs >= lengthMs;
  }
}
