export type { SagaCalls } from './advance.ts';
export { SagaRunner } from './runner.ts';
export { calledBy, type Saga, step } from './saga.ts';
export { findSaga, listSagas, removeEnded } from './store.ts';
export { type SagaState, sagaMigrations, sagaTables } from './tables.ts';
