export { SharedFile } from './shared-file.ts';
