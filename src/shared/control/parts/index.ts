export type { EndedRequest } from '../gateway/index.ts';
export type { Exemplar, MetricFamily, MetricSource, Sample } from './metric-family.ts';
export { type OpenControl, openParts } from './open.ts';
export type { ControlPart, PartDependencies } from './part.ts';
