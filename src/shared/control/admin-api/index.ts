export { serveDeadLetters } from './dead-letters.ts';
export { bodyOf, Everywhere, type Operations, orderHeader, refuseQuery } from './everywhere.ts';
export { serveFaults } from './faults.ts';
export { serveSagas } from './sagas.ts';
