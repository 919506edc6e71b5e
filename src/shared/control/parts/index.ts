export { type OpenControl, openParts } from './open.ts';
export type { ControlPart, PartDependencies } from './part.ts';
