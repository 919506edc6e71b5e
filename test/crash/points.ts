const forward = ['reserve stock', 'authorize payment', 'take stock', 'capture payment'];

/** Crash points of a successful order: before and after each commit of the checkout. */
export const checkoutPoints: readonly string[] = [
  'saga/checkout/begun',
  'command/inventory/reserve/handled',
  'command/inventory/reserve/done',
  'command/payments/authorize/handled',
  'command/payments/authorize/committed',
  'command/payments/authorize/done',
  'command/inventory/take/handled',
  'command/inventory/take/done',
  'command/payments/capture/handled',
  'command/payments/capture/committed',
  'command/payments/capture/done',
  ...forward.map((step) => `saga/checkout/${step}/done`),
  'saga/checkout/take stock/recorded',
  'saga/checkout/confirm order/recorded',
];

export const eventPoints: readonly string[] = [
  'relay/notifications/orders.order-confirmed.v1/delivered',
  'inbox/notifications/orders.order-confirmed.v1/handled',
  'inbox/notifications/orders.order-confirmed.v1/committed',
  'inbox/recommendations/orders.order-confirmed.v1/committed',
  // `@2`, because the first mail is the welcome after the sign-up.
  'saga/mail-dispatch/hand to mail/done@2',
  'saga/mail-dispatch/hand to mail/recorded@2',
];

/** Crash points of a declined or cancelled order. */
export const wayBackPoints: readonly string[] = [
  'command/inventory/release/handled',
  'command/inventory/release/done',
  'saga/checkout/reserve stock/taken back',
  'saga/checkout/reserve stock/recorded as taken back',
  'saga/cancellation/begun',
  'command/payments/refund/handled',
  'command/payments/refund/committed',
  'command/payments/refund/done',
  'saga/cancellation/refund payment/done',
  'saga/cancellation/return stock/done',
  'saga/cancellation/return stock/recorded',
];
