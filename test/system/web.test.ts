import { describe } from 'vitest';
import { methods } from './web/methods.cases.ts';
import { wherever } from './web/placements.ts';

wherever((scene) => {
  describe('methods', () => methods(scene));
});
