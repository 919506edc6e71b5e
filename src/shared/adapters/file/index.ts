export { file } from './adapter.ts';
