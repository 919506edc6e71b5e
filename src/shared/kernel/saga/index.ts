export type { SagaCalls } from './executor.ts';
export { describeSaga, listSagas, type SagaDetails, type SagaSummary } from './listing.ts';
export { countOpenSagas } from './open-counts.ts';
export { SagaRunner } from './runner.ts';
export { calledBy, type Saga, step } from './saga.ts';
export { removeEnded } from './store.ts';
export { isEnd, type SagaState, sagaMigrations } from './tables.ts';
