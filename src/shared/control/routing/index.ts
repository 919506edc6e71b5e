export { callSourceOf } from './call-source.ts';
export { type Detour, Directory } from './directory.ts';
export { LiveAddresses, staticAddresses } from './live-addresses.ts';
export { Probe } from './probe.ts';
export { Admission } from './resilience/admission.ts';
export { type PoliciesConfig, policiesSchema, refuseUnknownPolicies } from './resilience/policies.ts';
export { mayRetry } from './resilience/retrying.ts';
export { withKey } from './road.ts';
export { type Pinned, Upstream } from './upstream.ts';
