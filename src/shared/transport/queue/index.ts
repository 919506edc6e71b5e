export { QueueTransport, type QueueWay } from './client.ts';
export { type QueueServer, type QueueServerParts, serveQueue } from './server.ts';
