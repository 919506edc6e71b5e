export { trials } from './trials.ts';
