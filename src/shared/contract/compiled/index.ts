export { fastParse, type Parser, parserOf, safeParserOf } from './compiled.ts';
export { safeParse } from './throwing-checks.ts';
