export { QueueTransport } from './client.ts';
export { type QueueServer, serveQueue } from './server.ts';
