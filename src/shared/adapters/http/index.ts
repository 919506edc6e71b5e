export { http } from './adapter.ts';
