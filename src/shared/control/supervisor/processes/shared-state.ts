import { messageOf } from '../../../kernel/errors/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';

/**
 * State of a part of control that one process sends to another: the home process to its module processes, or a module process to the home
 * process when it ends. It must survive JSON.
 */
export interface SharedState {
  /** Returns the current state. */
  current(): unknown;
  /** Takes over the state of the other process. Throws when it is invalid. */
  set(state: unknown): void;
}

/** The shared states of a process, by the name of their part. */
export type SharedStates = ReadonlyMap<string, SharedState>;

/** Takes over the state of a part, if this process has the part. The other process may run another release, with another state. */
export function takeOver(states: SharedStates, part: string, state: unknown, log: Log): void {
  try {
    states.get(part)?.set(state);
  } catch (error) {
    log.warn({ part, why: messageOf(error) }, 'the state of a part of control was not taken over');
  }
}
