export { jsonOf, textOf } from './body.ts';
export { type Composition, gather } from './composition.ts';
export { answer, type Endpoint, type ServedEndpoint } from './endpoint.ts';
export { fromQuery, takesList } from './lists.ts';
export { checkPreconditions, isKnown, tagOf } from './preconditions.ts';
export { problemResponse } from './problem-response.ts';
export { idParam, pageQuery } from './queries.ts';
export { Resources } from './resources.ts';
export type { Session, Sessions, SignInAttempt, SignInLimit } from './sessions.ts';
export {
  eventStream,
  isStream,
  type ServerSentEvent,
  type StreamLimits,
  type StreamSource,
  serverSentEvents,
} from './streams.ts';
