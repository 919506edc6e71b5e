export { countsFamily, type ExportCounts, type Exporter, Exporting, type ExportingDependencies } from './exporting.ts';
export { tellProblems } from './problems.ts';
export { processAttributes } from './process-attributes.ts';
