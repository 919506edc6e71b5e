export { Directory } from './directory.ts';
export { type Placement, parsePlacement, placementText } from './placement.ts';
export { ServiceProcess, type ServiceState, toService } from './service-process.ts';
export { type KernelSettings, kernelSettings } from './settings.ts';
export { readTopology, type Topology } from './topology.ts';
