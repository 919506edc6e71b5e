export { Mover } from './mover.ts';
export { serveMoves } from './serve.ts';
