export type { ControlPart, OpenPart, PartDependencies } from './part.ts';
