// What a new module may be called.
import ts from 'typescript';
import { manifestSchema } from '../../src/shared/kernel/module/index.ts';
import { filesOf } from './texts.ts';

/** Returns the name of a module in code: `giftCards` for `gift-cards`. */
export function variableOf(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns why a module cannot have this name beside the others that `app`, the text of src/app.ts, lists; or `undefined`. */
export function whyNotNamed(name: string, app: string): string | undefined {
  const isName = manifestSchema.shape.name.safeParse(name).success && /^[a-z0-9]+(-[a-z][a-z0-9]*)*$/.test(name);
  if (!isName || name.length > 40)
    return `"${name}" is not a name for a module: write up to 40 small letters, digits and single hyphens, such as wishlist or gift-cards; not home, gateway, kernel, kerf, in-process or constructor`;
  const variable = variableOf(name);
  const texts = Object.values(filesOf({ name: '', variable: '', owner: '', uses: [] }));
  const words = new Set([app.replace(/\/\/.*/g, ''), ...texts].join(' ').match(/\w+/g));
  if (words.has(variable) || isReserved(variable))
    return `"${name}" would hide another name in the code; take another name, such as ${name}-list`;
  return undefined;
}

/** Returns whether a word of the language, or a global name, stands in the way of a variable with this name. */
function isReserved(word: string): boolean {
  if (word in globalThis) return true;
  const kind = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, word).scan();
  return (
    ['arguments', 'await'].includes(word) ||
    (kind >= ts.SyntaxKind.FirstReservedWord && kind <= ts.SyntaxKind.LastFutureReservedWord)
  );
}
