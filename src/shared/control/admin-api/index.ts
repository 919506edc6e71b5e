export { serveAccess } from './access.ts';
export { serveDeadLetters } from './dead-letters.ts';
export { type AdminRoutes, bodyOf, FanOut, orderHeader, refuseQuery } from './fan-out.ts';
export { serveLogLevels } from './log-levels.ts';
export { serveSagas } from './sagas.ts';
export { scraperGuard, senderGuard } from './token-guard.ts';
