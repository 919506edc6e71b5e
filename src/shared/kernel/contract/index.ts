export { type AsSent, asSentBy, canonicalJson } from './as-sent.ts';
export { parseCompiled, parserOf } from './compiled/compiled.ts';
export { safeParse } from './compiled/throwing-checks.ts';
export {
  type CallOptions,
  type Client,
  type Contract,
  command,
  contract,
  defaultTimeoutMs,
  type EarlierVersion,
  type ErrorDefinition,
  type Event,
  earlier,
  event,
  type Operation,
  type OperationDefinition,
  query,
} from './contract.ts';
export { Cursors } from './cursor.ts';
export { inputParserOf, mismatch, parseInput } from './parse.ts';
export { plainly } from './plain-words.ts';
export { rewriterName } from './rewriting.ts';
export { definitionOf } from './schema-parts.ts';
export {
  id,
  instant,
  money,
  nothing,
  type Preconditions,
  page,
  pageRequest,
  preconditions,
  text,
} from './schemas.ts';
