import { describe } from 'vitest';
import { crossOrigin, frontEnd } from './web/cross-origin.cases.ts';
import { etags } from './web/etags.cases.ts';
import { methods } from './web/methods.cases.ts';
import { middleware } from './web/middleware.cases.ts';
import { moves } from './web/moves.cases.ts';
import { wherever } from './web/placements.ts';
import { rawBodies } from './web/raw.cases.ts';
import { streams } from './web/streams.cases.ts';

wherever(
  (scene) => {
    describe('methods', () => methods(scene));
    describe('entity tags', () => etags(scene));
    describe('raw bodies', () => rawBodies(scene));
    describe('middleware', () => middleware(scene));
    describe('streams', () => streams(scene));
    if (['http', 'grpc'].includes(scene.placement)) describe('moves', () => moves(scene));
    describe('front ends of another origin', () => crossOrigin(scene));
  },
  { CORS_ORIGINS: frontEnd, SLOW_READER_TIMEOUT_MS: '10000' },
);
