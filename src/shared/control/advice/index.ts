export { Observation } from './observation.ts';
export { serveAdvice } from './serve.ts';
