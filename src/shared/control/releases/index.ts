export { incompatibilities } from './compare.ts';
export { contractDescriptionSchema, describeContract } from './describe.ts';
