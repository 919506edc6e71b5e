export { textOf } from './body.ts';
export { fromQuery } from './lists.ts';
export { problemResponse } from './problem-response.ts';
export { idParam, pageQuery } from './queries.ts';
export { type Answer, answer, type Endpoint, type Request, Resources } from './resources.ts';
