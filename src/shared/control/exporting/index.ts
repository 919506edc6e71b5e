export { logDiagnostics } from './diagnostics.ts';
export { countsFamily, type ExportCounts, ExportQueue } from './export-queue.ts';
export { processAttributes } from './process-attributes.ts';
