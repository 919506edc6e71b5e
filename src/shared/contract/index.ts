export { type AsSent, asSentBy, canonicalJson } from './as-sent.ts';
export {
  type ContractDescription,
  contractDescriptionSchema,
  describeContract,
  incompatibilities,
} from './compatibility/index.ts';
export { fastParse, parserOf, safeParse } from './compiled/index.ts';
export {
  type CallOptions,
  type Client,
  type Contract,
  command,
  contract,
  type EarlierVersion,
  type ErrorDefinition,
  type Event,
  type EventDefinition,
  earlier,
  event,
  type Operation,
  type OperationDefinition,
  query,
  usualTimeoutMs,
} from './contract.ts';
export { Cursors } from './cursor.ts';
export { inputParserOf, misfit, parseInput } from './parse.ts';
export { plainly } from './plain-words.ts';
export { id, instant, money, nothing, page, pageRequest, text } from './schemas.ts';
