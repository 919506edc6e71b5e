export { jsonOf, textOf } from './body.ts';
export { fromQuery, takesList } from './lists.ts';
export { problemResponse } from './problem-response.ts';
export { idParam, pageQuery } from './queries.ts';
export { type Answer, answer, type Endpoint, type Request, Resources, type ServedEndpoint } from './resources.ts';
