export { Admission } from './admission.ts';
export { type BackOff, backOffMs } from './back-off.ts';
export { Breaker, type BreakerPolicy, type BreakerState, type CallFailure, type Pass } from './breaker.ts';
export { Bulkhead, type BulkheadPolicy } from './bulkhead.ts';
export type { Ticket } from './line.ts';
export { type Policies, type PoliciesConfig, policiesFor, policiesSchema, refuseUnknownPolicies } from './policies.ts';
export { mayRepeat, neverSent, wasNeverSent } from './repeating.ts';
export { RetryBudget } from './retry-budget.ts';
