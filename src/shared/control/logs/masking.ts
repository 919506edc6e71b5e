const maxTextLength = 4_000;
/** What a cut may hide half of: a masked value is never longer. */
const overlap = 1_000;
const maxDepth = 5;
const maxItems = 50;
const maxValues = 500;
const maxCharacters = 16_000;

const hidden = '[hidden]';
const secretName =
  /pass(?:word|wd|phrase)|secret|token|authorization|cookie|credential|api[-_]?key|private[-_]?key|^body$/i;

const local = String.raw`[\p{L}\p{N}.!#$%&'*+=?^_\x60{|}~-]{1,64}`;
const label = String.raw`[\p{L}\p{N}-]{1,63}`;
const digits = [...'0123456789'];

interface Pattern {
  /** A text without any of these has nothing to mask: most texts need no search by the pattern. */
  readonly signs: readonly string[];
  readonly pattern: RegExp;
  readonly mask: string;
}

/** A search takes a time that grows with the length of the text alone: no part of a pattern repeats without a bound before another. */
const patterns: readonly Pattern[] = [
  {
    signs: ['@'],
    pattern: /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,700}@/gi,
    mask: `$1${hidden}@`,
  },
  { signs: ['earer ', 'asic '], pattern: /\b(Bearer|Basic)\s{1,4}[\w.~+/=-]{1,4000}/gi, mask: `$1 ${hidden}` },
  { signs: ['eyJ'], pattern: /\beyJ[\w-]{5,4000}\.[\w-]{1,4000}(?:\.[\w-]{0,4000})?/g, mask: hidden },
  // An API key, also with its underscores encoded.
  { signs: ['kerf_', 'kerf%5'], pattern: /kerf(?:_|%5f)[0-9a-f]{8,16}(?:_|%5f)[\w%-]{8,4000}/gi, mask: hidden },
  {
    signs: ['=', ':'],
    pattern:
      /((?:password|passwd|secret|token|api[-_]?key|authorization)\\?["']?\s{0,4}[:=]\s{0,4})(?!\[hidden\])(?:(\\?")[^"\\\n]{1,4000}|(')[^'\n]{1,4000}|[^\s"',;&}\\]{1,4000})/gi,
    mask: `$1$2$3${hidden}`,
  },
  {
    signs: ['@', '%40'],
    pattern: new RegExp(
      String.raw`(?:"[^"\n]{1,64}"|${local})(?:@|%40)${label}(?:\.${label}){0,8}\.\p{L}{2,63}`,
      'giu',
    ),
    mask: '[email]',
  },
  {
    signs: ['+', '%2B', '%2b', '00'],
    pattern: /(?:\+|%2B|(?<![\w.-])00)[1-9](?:[ ()./-]{0,2}\d){6,14}(?!\w)/gi,
    mask: '[phone]',
  },
  // Groups of digits, at least 9 digits in all, but not a date.
  {
    signs: [' ', '-'],
    pattern:
      /(?<![\w-]|\d\.)(?!\d{4}-\d\d-\d\d)(?=(?:[ ()-]{0,2}\d){9})\(?\d{1,5}\)?(?:[ -]\d{2,8}){1,4}(?![\w-]|\.\d)/g,
    mask: '[phone]',
  },
  // Digits alone, but not a time in milliseconds.
  { signs: digits, pattern: /(?<![\w-]|\d\.)(?!1\d{12}(?!\d))\d{9,15}(?![\w-]|\.\d)/g, mask: '[phone]' },
];

/** What a copy may still contain. */
interface Budget {
  values: number;
  characters: number;
}

/**
 * Masks what a log line must not contain: e-mail addresses, phone numbers, the values of secrets, tokens, and everything in fields whose name
 * says that it is secret. The cost of a value is bounded, whatever its size: texts, lists, depth and the number of values are cut.
 */
export class Masking {
  #secrets: string[] = [];

  /** Hides this value wherever it occurs. Ignores values under 8 characters, which also occur by chance. */
  hide(...secrets: readonly string[]): void {
    const spellings = secrets.filter(({ length }) => length >= 8).flatMap((each) => [each, encodeURIComponent(each)]);
    // The longest first: another one may be a part of it.
    this.#secrets = [...new Set([...this.#secrets, ...spellings])].sort((a, b) => b.length - a.length);
  }

  /** Masks a text and cuts it to `max` characters. */
  text(given: string, max = maxTextLength): string {
    const isCut = given.length > max;
    let text = isCut ? given.slice(0, max + overlap) : given;
    for (const secret of this.#secrets) if (text.includes(secret)) text = text.replaceAll(secret, hidden);
    for (const { signs, pattern, mask } of patterns)
      if (signs.some((sign) => text.includes(sign))) text = text.replace(pattern, mask);
    if (!isCut) return text;
    // The end of the text may hold half a secret. Masks may have moved it to the front.
    return `${text.slice(0, Math.max(0, Math.min(max, text.length - overlap)))}…`;
  }

  /** Returns a masked copy of a value, of plain objects, lists and texts. Never throws, also for a cycle or a getter that throws. */
  value(given: unknown): unknown {
    return this.#copy(given, maxDepth, { values: maxValues, characters: maxCharacters });
  }

  #copy(given: unknown, depth: number, budget: Budget): unknown {
    budget.values -= 1;
    try {
      switch (typeof given) {
        case 'string':
          return this.#text(given, budget);
        case 'bigint':
          return String(given);
        case 'object':
          return given === null ? null : this.#copyObject(given, depth, budget);
        case 'symbol':
        case 'function':
          return undefined;
        default:
          return given;
      }
    } catch {
      return '[unreadable]';
    }
  }

  #text(given: string, budget: Budget): string {
    const text = this.text(given, Math.min(maxTextLength, budget.characters));
    budget.characters = Math.max(0, budget.characters - text.length);
    return text;
  }

  #copyObject(given: object, depth: number, budget: Budget): unknown {
    if (given instanceof Error) return this.#text(`${given.name}: ${given.message}`, budget);
    if (given instanceof Date) return Number.isNaN(given.getTime()) ? null : given.toISOString();
    if (given instanceof URL) return this.#text(given.href, budget);
    if (ArrayBuffer.isView(given)) return `[${given.byteLength} bytes]`;
    if (depth === 0) return '[too deep]';
    if (given instanceof Set || given instanceof Map) return this.#copyList(given, given.size, depth, budget);
    if (isSecretPair(given)) return [this.#text(given[0], budget), hidden];
    if (Array.isArray(given)) return this.#copyList(given, given.length, depth, budget);
    return this.#copyFields(given, depth, budget);
  }

  #copyList(items: Iterable<unknown>, length: number, depth: number, budget: Budget): unknown[] {
    const copied: unknown[] = [];
    for (const item of items) {
      if (copied.length >= maxItems || budget.values <= 0) {
        copied.push(`[${length - copied.length} more]`);
        break;
      }
      copied.push(this.#copy(item, depth - 1, budget) ?? null);
    }
    return copied;
  }

  #copyFields(given: object, depth: number, budget: Budget): Record<string, unknown> {
    const copied: Record<string, unknown> = {};
    let count = 0;
    for (const name in given) {
      if (!Object.hasOwn(given, name)) continue;
      if (count >= maxItems || budget.values <= 0) {
        copied['[cut]'] = true;
        break;
      }
      count += 1;
      copied[this.text(name, 200)] = secretName.test(name) ? hidden : this.#field(given, name, depth, budget);
    }
    return copied;
  }

  #field(given: object, name: string, depth: number, budget: Budget): unknown {
    try {
      return this.#copy((given as Readonly<Record<string, unknown>>)[name], depth - 1, budget);
    } catch {
      return '[unreadable]';
    }
  }
}

/** Returns whether a value is an entry, such as of a Map or of headers, whose name says that it is secret. */
function isSecretPair(given: object): given is readonly [string, unknown] {
  return Array.isArray(given) && given.length === 2 && typeof given[0] === 'string' && secretName.test(given[0]);
}
