import { z } from 'zod';
import { isSupported } from './supported.ts';
import { errorOfThrown } from './throwing-checks.ts';

/** Returns the schema's copy of a value. Throws only a `ZodError`, which names every validation issue. */
export type Parser<S extends z.ZodType> = (value: unknown) => z.output<S>;

type SafeParser<S extends z.ZodType> = (value: unknown) => z.ZodSafeParseResult<z.output<S>>;

interface Parsing<S extends z.ZodType> {
  readonly parse: Parser<S>;
  readonly safeParse: SafeParser<S>;
}

const known = new WeakMap<z.ZodType, Parsing<z.ZodType>>();

/**
 * Returns a fast `schema.parse`. Call it once and keep the result. It returns the same result for every value, in a sixth of the time for
 * a valid value. A value that makes a check throw is invalid. A method that was replaced on this one instance has no effect.
 */
export function parserOf<S extends z.ZodType>(schema: S): Parser<S> {
  return parsingOf(schema).parse;
}

/** Returns a fast `schema.safeParse`, with the promises of `parserOf`. */
export function safeParserOf<S extends z.ZodType>(schema: S): SafeParser<S> {
  return parsingOf(schema).safeParse;
}

/** Parses a value like `safeParserOf`, for a caller that keeps no parser. */
export function parseCompiled<S extends z.ZodType>(schema: S, value: unknown): z.ZodSafeParseResult<z.output<S>> {
  return parsingOf(schema).safeParse(value);
}

function parsingOf<S extends z.ZodType>(schema: S): Parsing<S> {
  let parsing = known.get(schema) as Parsing<S> | undefined;
  if (!parsing) {
    parsing = makeParsing(schema);
    known.set(schema, parsing);
  }
  return parsing;
}

/**
 * Compiles the schema on its second use. Compilation costs as much as a hundred parses: too much for a schema that is used once at
 * startup. A later compilation would let tests miss the code that production runs. The compiled schema answers for valid values, and
 * asks the schema itself about all others. Where code generation from strings is forbidden, `z.compile` returns the schema itself.
 */
function makeParsing<S extends z.ZodType>(schema: S): Parsing<S> {
  let uses = 0;
  let fastest = schema;
  const used = () => {
    if (uses < 2 && ++uses === 2 && isSupported(schema)) fastest = z.compile(schema);
    return fastest;
  };
  return {
    parse(value) {
      try {
        return used().parse(value);
      } catch (error) {
        throw error instanceof z.ZodError ? error : errorOfThrown(schema, value, error);
      }
    },
    safeParse(value) {
      try {
        const result = used().safeParse(value);
        return result.success ? result : failure(schema, value, result);
      } catch (error) {
        return { success: false, error: errorOfThrown(schema, value, error) };
      }
    },
  };
}

/** Creates its error only when a caller reads it, as Zod does. Most callers only check whether there is one. */
function failure<S extends z.ZodType>(
  schema: S,
  value: unknown,
  zods: z.ZodSafeParseError<z.output<S>>,
): z.ZodSafeParseError<z.output<S>> {
  return {
    success: false,
    get error() {
      try {
        return zods.error;
      } catch (thrown) {
        return errorOfThrown(schema, value, thrown);
      }
    },
  };
}
