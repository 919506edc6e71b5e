export { grpc } from './adapter.ts';
