export { advice } from './serve.ts';
