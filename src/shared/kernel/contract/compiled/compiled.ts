import { z } from 'zod';
import { isSupported } from './supported.ts';
import { errorOfThrown } from './throwing-checks.ts';

/** Returns the copy that the schema makes of a value, or throws the `ZodError` that names every misfit; throws nothing else. */
export type Parser<S extends z.ZodType> = (value: unknown) => z.output<S>;

type SafeParser<S extends z.ZodType> = (value: unknown) => z.ZodSafeParseResult<z.output<S>>;

interface Parsing<S extends z.ZodType> {
  readonly parse: Parser<S>;
  readonly safeParse: SafeParser<S>;
}

const known = new WeakMap<z.ZodType, Parsing<z.ZodType>>();

/**
 * `schema.parse`, to be asked for once and kept: the same result for every value, in a sixth of the time when it fits. A value at
 * which a check throws does not fit. Made of the schema as it is: a method that was put on this one instance is not heeded.
 */
export function parserOf<S extends z.ZodType>(schema: S): Parser<S> {
  return parsingOf(schema).parse;
}

/** `schema.safeParse`, with what `parserOf` promises. */
export function safeParserOf<S extends z.ZodType>(schema: S): SafeParser<S> {
  return parsingOf(schema).safeParse;
}

/** The same for a schema that is asked for anew each time. */
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
 * Compiles on the second use: it costs as much as a hundred parses, too much for a schema that is used once while the process
 * starts; any later, and tests would not run what production runs. What `z.compile` makes answers for values that fit, and
 * asks the schema itself about all others. Where code may not be made from strings, it gives the schema back.
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

/** Makes its error when that is read, as Zod does: most callers only look whether there is one. */
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
