import type { Clock } from '../../../kernel/context/index.ts';
import { SlidingWindow } from './window.ts';

export interface BreakerPolicy {
  /** Opens when at least this share of the calls in the window failed: above 0, to 1. */
  readonly failureShare: number;
  /** Minimum number of calls in the window before the share counts. */
  readonly minimumCalls: number;
  readonly windowMs: number;
  /** How long it is open at first. Each failed probe doubles this time, up to 2 s or `openMs`, whichever is longer. */
  readonly openMs: number;
}

export type BreakerState =
  | { readonly kind: 'closed' }
  /** Admits no call. After `forMs` it stays open until the next call, which becomes the probe. */
  | { readonly kind: 'open'; readonly since: number; readonly forMs: number }
  /** Admits one probe at a time. `probeSince` exists while a probe is in flight. */
  | { readonly kind: 'half-open'; readonly successes: number; readonly probeSince?: number };

/** `unreachable`: no connection could be made. `faulty`: the instance was reached, but answered with a fault or too late. */
export type CallFailure = 'unreachable' | 'faulty';

/** Permission to make one call. The caller reports the end of the call with it. 0 is no permission. */
export type Pass = number;

const none: Pass = 0;
const unreachableInARow = 5;
const probesToClose = 2;
/** Maximum time until a probe finds that an instance works again, without any call. A probe costs almost nothing. */
const longestWaitMs = 2_000;
/** The breaker forgets a probe without a result after this time. */
const lostProbeMs = 30_000;

/**
 * Keeps calls away from an instance that does not work. The owner of a pass reports the end of its call once: `succeeded`,
 * `failed`, or `released` when the end says nothing about the instance. The breaker ignores reports of calls from before the last
 * change of state, so that late timeouts do not open it again.
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
  /** Called when the kind of state changes. It must not throw. */
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

  /** Whether `admits()` would return a pass now. Takes no pass, so that a caller can compare many instances. */
  get wouldAdmit(): boolean {
    const state = this.#state;
    if (state.kind === 'closed') return true;
    if (state.kind === 'open') return this.#isOver(state.since, state.forMs);
    // A probe without a result must not block the instance forever.
    return state.probeSince === undefined || this.#isOver(state.probeSince, lostProbeMs);
  }

  /** How long the breaker will certainly admit no call, in milliseconds; 0 unless it is open. */
  get retryAfterMs(): number {
    const state = this.#state;
    if (state.kind !== 'open' || this.wouldAdmit) return 0;
    return state.since + state.forMs - this.clock.now();
  }

  /** Returns a pass, or 0 for no. When the breaker is half-open, or open for long enough, the pass belongs to the one probe. */
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

  /** Ends the open time early, when the instance may work again. The next call becomes the probe. */
  expire(): void {
    if (this.#state.kind === 'open') this.#state = { ...this.#state, forMs: 0 };
  }

  /** Opens a closed breaker, when another source knows that the instance does not work. */
  trip(): void {
    if (this.#state.kind === 'closed') this.#open(this.policy.openMs);
  }

  /** Reports that a call ended without a verdict, such as cancelled. A probe makes room for the next probe. */
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

  /** Changes the state and invalidates all earlier passes. */
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

  /** Returns whether `lengthMs` has passed. Returns true when the clock was set back, so that no call waits for it. */
  #isOver(since: number, lengthMs: number): boolean {
    const passedMs = this.clock.now() - since;
    return passedMs < 0 || passedMs >= lengthMs;
  }
}
