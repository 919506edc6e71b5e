import { z } from 'zod';
import { money } from '../../../shared/kernel/contract/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { type Saga, step } from '../../../shared/kernel/saga/index.ts';
import { inventory } from '../../inventory/contract.ts';
import { payments } from '../../payments/contract.ts';

const data = z.object({ orderId: z.string(), memberId: z.string(), amount: money });
type Cancellation = z.infer<typeof data>;

/** Refunds a cancelled order and returns its stock. The decision is final: the saga only goes forward, until it is done. */
export const cancellation: Saga<Cancellation, ModuleUnit> = {
  name: 'cancellation',
  version: 1,
  data,
  steps: [
    step<Cancellation>('refund payment').call(payments.operations.refund, (cancelled) => cancelled),
    step<Cancellation>('return stock').call(inventory.operations.release, ({ orderId }) => ({ orderId })),
  ],
};
