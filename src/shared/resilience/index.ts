export { Admission } from './admission.ts';
export { backOffMs } from './back-off.ts';
export { Breaker, type BreakerPolicy, type BreakerState, type CallFailure } from './breaker.ts';
export { Bulkhead } from './bulkhead.ts';
export { neverSent, unanswered, wasNeverSent, wasUnanswered } from './marks.ts';
export { type PoliciesConfig, policiesFor, policiesSchema, refuseUnknownPolicies } from './policies.ts';
export { RetryBudget } from './retry-budget.ts';
export { mayRetry } from './retrying.ts';
