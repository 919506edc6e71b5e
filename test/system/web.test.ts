import { describe } from 'vitest';
import { crossOrigin, frontEnd } from './web/cross-origin.cases.ts';
import { etags } from './web/etags.cases.ts';
import { methods } from './web/methods.cases.ts';
import { wherever } from './web/placements.ts';
import { rawBodies } from './web/raw.cases.ts';

wherever(
  (scene) => {
    describe('methods', () => methods(scene));
    describe('entity tags', () => etags(scene));
    describe('raw bodies', () => rawBodies(scene));
    describe('front ends of another origin', () => crossOrigin(scene));
  },
  { CORS_ORIGINS: frontEnd },
);
