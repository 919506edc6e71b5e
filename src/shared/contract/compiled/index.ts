export { fastParse, type Parser, parserOf } from './compiled.ts';
