import { instant, newId } from 'kerf/context';
import { defineTables, insertInto, type Migration, rowBy, updateBy } from 'kerf/database';
import { refusal } from 'kerf/errors';
import { handle, type ModuleUnit } from 'kerf/module';
import { type Payment, payments } from '../contract.ts';

/** `authorizing`: the module calls the provider and does not know the answer yet. */
export type PaymentStatus = 'authorizing' | 'authorized' | 'captured' | 'voided' | 'refunded' | 'declined';

export const tables = defineTables(({ table, text, integer }) => ({
  payments: table('payments', {
    id: text('id').primaryKey(),
    orderId: text('order_id').notNull(),
    memberId: text('member_id').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    status: text('status').$type<PaymentStatus>().notNull(),
    updatedAt: text('updated_at').notNull(),
  }),
}));

export type PaymentRow = ReturnType<typeof tables>['payments']['$inferSelect'];

export const migrations: Migration[] = [
  {
    name: '0001-payments',
    phase: 'expand',
    sqlite: `
      CREATE TABLE payments (
        id TEXT PRIMARY KEY,
        order_id TEXT NOT NULL UNIQUE,
        member_id TEXT NOT NULL,
        amount INTEGER NOT NULL,
        currency TEXT NOT NULL,
        status TEXT NOT NULL,
        updated_at TEXT NOT NULL
      );
    `,
  },
];

const byId = rowBy((reader) => tables(reader).payments, 'id', 'memberId');
const insertRow = insertInto((unit) => tables(unit).payments);
const updateStatus = updateBy((unit) => tables(unit).payments, 'id', 'status', 'updatedAt');
export const paymentOf = rowBy((reader) => tables(reader).payments, 'orderId');

/** Order, member and amount of a payment. Every command on the payment carries them. */
type Charge = Pick<Payment, 'orderId' | 'amount'> & { memberId: string };

export async function addPayment(unit: ModuleUnit, { orderId, memberId, amount }: Charge, status: PaymentStatus) {
  const row = { id: newId(), orderId, memberId, ...amount, status, updatedAt: instant(unit.clock) };
  await insertRow(unit, row);
  return row;
}

export async function setStatus(unit: ModuleUnit, row: PaymentRow, status: PaymentStatus): Promise<PaymentRow> {
  const changed = { status, updatedAt: instant(unit.clock) };
  await updateStatus(unit, row.id, changed);
  return { ...row, ...changed };
}

/** Maps a payment to its form in the contract. Throws for `authorizing`: the provider has not answered yet. */
export function toPayment({ id, orderId, amount, currency, status }: PaymentRow): Payment {
  if (status === 'authorizing') throw new Error('a payment in doubt has no public form');
  return { id, orderId, amount: { amount, currency }, status };
}

export const get = handle(payments.operations.get, async ({ id, memberId }, reader) => {
  const row = await byId(reader, id, memberId);
  if (!row || row.status === 'authorizing') throw refusal('not-found', 'there is no such payment');
  return toPayment(row);
});

export const ofOrder = handle(payments.operations.ofOrder, async ({ orderId, memberId }, reader) => {
  const row = await paymentOf(reader, orderId);
  const shown = row?.memberId === memberId && row.status !== 'authorizing';
  return { payment: shown ? toPayment(row) : null };
});
