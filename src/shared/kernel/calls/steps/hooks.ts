import type { Operation } from '../../contract/index.ts';
import type { RoadStep } from '../transport.ts';

/** The steps that control may add to the road. */
export interface RoadHooks {
  /** Makes the step that watches the calls of a caller to an operation: their input, their answer and the time between. */
  readonly observe?: (caller: string, operation: Operation) => RoadStep;
  /** Meets the faults that operators have asked for: a call that is delayed, refused, lost or doubled. */
  readonly faults?: RoadStep;
}

export const observe = ({ observe, caller, operation }: Pick<RoadHooks, 'observe'> & Edge): RoadStep | undefined =>
  observe?.(caller, operation);

export const faults = ({ faults }: Pick<RoadHooks, 'faults'>): RoadStep | undefined => faults;

/** A caller and the operation that it calls. */
export interface Edge {
  readonly caller: string;
  readonly operation: Operation;
}
