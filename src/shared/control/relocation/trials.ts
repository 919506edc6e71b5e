import type { Contract } from '../../kernel/contract/index.ts';
import type { Journal } from './journal.ts';
import type { TryOut } from './relocation-order.ts';
import type { TrafficSplit } from './traffic-split.ts';

/** Tries out the new replicas of a module before they receive all calls. A product may leave this out. */
export interface Trials {
  /** Checks the order before the move. Returns what the report of the preflight shows. Throws `conflict` for a trial that cannot be made. */
  preflight(order: TryOut, contract: Contract): object;
  /**
   * Makes the ordered trials as steps of the move. Rejects when the new replicas are worse, or when there is no verdict in time. `alike`
   * says whether the old replicas run in processes of their own as well.
   */
  run(
    journal: Journal,
    split: TrafficSplit,
    order: TryOut & { readonly contract: Contract; readonly alike: boolean },
  ): Promise<void>;
}
