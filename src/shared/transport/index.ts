export { type Call, type CallSource, createCall, createClient, unreachable } from './client.ts';
export { HttpTransport } from './http/client.ts';
export { Peers, unreachableBecause } from './http/peers.ts';
export { createPush } from './http/push.ts';
export { createInternalServer } from './http/server.ts';
export type { InternalService } from './http/service.ts';
export { contextHeaders } from './http/wire.ts';
export { InProcessTransport } from './in-process.ts';
export type { CallRequest, Dispatch, Transport } from './transport.ts';
