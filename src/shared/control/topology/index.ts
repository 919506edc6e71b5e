export { brokerOf, listensAt, portSettingOf, portsFor } from './listening.ts';
export { refuseMissingAdapters } from './missing-adapters.ts';
export { type Placement, placementText, readPlacement, type ServicePlacement, transportOf } from './placement.ts';
export {
  environmentName,
  type KernelSettings,
  kernelSettings,
  portSettings,
  readOperatorSettings,
} from './settings.ts';
export { readTopology, type Topology, topologyFileSchema } from './topology.ts';
export { refuseUnwritable, writePlacement } from './topology-file.ts';
