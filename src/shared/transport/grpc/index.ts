export { GrpcTransport, type GrpcWay } from './client.ts';
export { createGrpcServer, type GrpcServer, type GrpcServerParts } from './server.ts';
