import type { Ask, OrderRow } from './books.ts';

export type PaymentState = 'authorized' | 'declined' | 'captured' | 'voided' | 'refunded';

const changes = { capture: 'captured', void: 'voided', refund: 'refunded' } as const;
export type PaymentChange = keyof typeof changes;

const before: Record<PaymentChange, readonly (PaymentState | undefined)[]> = {
  capture: ['authorized'],
  void: ['authorized', undefined],
  refund: ['captured'],
};

/** The records of a payment provider. No crash of Kerf touches them. Each method returns the HTTP status of the provider's answer. */
export class ProviderBooks extends Map<string, PaymentState> {
  readonly #failures = new Map<string, number>();

  change(id: string, action: PaymentChange): number {
    const state = this.get(id);
    if (state === changes[action]) return 200;
    if (!before[action].includes(state)) return action === 'void' && state === 'declined' ? 404 : 409;
    this.set(id, changes[action]);
    return 200;
  }

  /** Authorizes a payment. A voided payment stays void. A failed request (503) may still have taken effect. */
  authorize(id: string, token: string): number {
    const state = this.get(id);
    if (state === 'declined') return 402;
    if (state === 'voided' || state === 'refunded') return 409;
    if (token === 'tok_declined') {
      this.set(id, 'declined');
      return 402;
    }
    this.set(id, state ?? 'authorized');
    const failures = this.#failures.get(id) ?? 0;
    this.#failures.set(id, failures + 1);
    return token === 'tok_error' || (token === 'tok_flaky' && failures < 2) ? 503 : 201;
  }
}

const kept: Record<string, readonly string[]> = { confirmed: ['captured'], cancelled: ['refunded'] };

/**
 * Checks that the provider keeps money for confirmed orders and for no others. Returns every violation in words. Empty books mean that
 * the system used its development provider.
 */
export function keptByProvider(orders: readonly OrderRow[], ask: Ask, books: ProviderBooks): string[] {
  const payments = ask<{ id: string; order_id: string }>('payments', 'SELECT id, order_id FROM payments');
  const byOrder = new Map(payments.map(({ id, order_id }) => [order_id, id]));
  return orders.flatMap(({ id, status }) => {
    const state = books.get(byOrder.get(id) ?? '');
    const well = state ? (kept[status] ?? ['voided', 'declined']).includes(state) : !kept[status] || books.size === 0;
    return well ? [] : [`order ${id} is ${status}, and its payment is ${state ?? 'unknown'} at the provider`];
  });
}
