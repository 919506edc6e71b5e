export { logExport } from './log-export.ts';
