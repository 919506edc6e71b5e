export { type Discovery, dnsAddresses, fileAddresses, LiveAddresses, staticAddresses } from './discovery/index.ts';
export { brokerOf, listensAt } from './listening.ts';
export { type Placement, placementText, readPlacement, type ServicePlacement, transportOf } from './placement.ts';
export { Directory, isFailure, type Probe, Tally, type Trial } from './routing/index.ts';
export { environmentName, type KernelSettings, kernelSettings } from './settings.ts';
export { readTopology, type Topology } from './topology.ts';
export { refuseUnwritable, writePlacement } from './topology-file.ts';
