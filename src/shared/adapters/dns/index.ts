export { dns } from './adapter.ts';
