export { Relocations } from './relocations.ts';
export { serveMoves } from './serve.ts';
