export { fastParse, type Parser, parserOf, safeParserOf } from './compiled.ts';
