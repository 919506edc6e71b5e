export { beginIdsAnew, newId } from './ids.ts';
