export { Directory } from './directory.ts';
export { type Discovery, dnsAddresses, fileAddresses, LiveAddresses, staticAddresses } from './discovery/index.ts';
export { Edge } from './edge.ts';
export { brokerOf, listensAt } from './listening.ts';
export { type Placement, parsePlacement, placementText, transportOf } from './placement.ts';
export { type FromService, ServiceProcess, type ServiceState, toService } from './service-process.ts';
export { environmentName, type KernelSettings, kernelSettings } from './settings.ts';
export { readTopology, type Topology } from './topology.ts';
export { refuseUnwritable, writePlacement } from './topology-file.ts';
