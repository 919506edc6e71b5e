export { kafka } from './adapter.ts';
