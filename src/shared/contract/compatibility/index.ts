export { incompatibilities } from './compare.ts';
export { type ContractDescription, contractDescriptionSchema, describeContract } from './describe.ts';
