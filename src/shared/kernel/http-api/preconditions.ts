import { hash } from 'node:crypto';
import type { Preconditions } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';

/** Maximum tags of one header. Each costs a comparison. */
const maxTags = 100;

/** Matches one entity tag and the comma behind it. */
const tag = /\s*((?:W\/)?"[!#-~\x80-\xff]*")\s*(?:,|$)/y;

/**
 * Returns the strong entity tag of a value: a hash of its JSON, in quotation marks. The computed `ETag` of an answer is the tag of its
 * body. A resource with a version has a cheaper tag, such as `"7"`.
 */
export function tagOf(value: unknown): string {
  return `"${hash('sha256', JSON.stringify(value), 'base64url').slice(0, 22)}"`;
}

/** Reads `If-Match` and `If-None-Match`. Throws `malformed-request` for a header that is neither `*` nor a list of entity tags. */
export function preconditionsOf(headerOf: (name: string) => string | undefined): Preconditions {
  const [ifMatch, ifNoneMatch] = ['if-match', 'if-none-match'].map((name) => tagsIn(name, headerOf(name)));
  return { ...(ifMatch && { ifMatch }), ...(ifNoneMatch && { ifNoneMatch }) };
}

function tagsIn(name: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === '*') return ['*'];
  const tags: string[] = [];
  tag.lastIndex = 0;
  while (tag.lastIndex < text.length) {
    const found = tag.exec(text);
    if (!found || tags.length === maxTags)
      throw refusal('malformed-request', `${name} must be * or at most ${maxTags} entity tags, such as "7"`);
    tags.push(found[1]!);
  }
  if (tags.length === 0) throw refusal('malformed-request', `${name} is empty; leave it out, or send an entity tag`);
  return tags;
}

/**
 * Throws `precondition-failed` unless a resource with the tag `current` meets the conditions; `undefined` means that there is no
 * resource. Call it in the unit of work that makes the change: a check before that unit can be out of date.
 */
export function checkPreconditions({ ifMatch, ifNoneMatch }: Preconditions, current: string | undefined): void {
  if (ifMatch && !matches(ifMatch, current)) {
    const detail = current === undefined ? 'the resource does not exist' : 'the resource has changed; read it again';
    throw refusal('precondition-failed', detail, current === undefined ? {} : { etag: current });
  }
  if (ifNoneMatch && isKnown(ifNoneMatch, current))
    throw refusal('precondition-failed', 'the resource exists in this state already');
}

/** Compares strongly: a weak tag says that two states are alike, not that they are the same. */
function matches(tags: readonly string[], current: string | undefined): boolean {
  return current !== undefined && (tags[0] === '*' || (!current.startsWith('W/') && tags.includes(current)));
}

/** Tells whether a client that sent `If-None-Match` has the resource already. Compares weakly. */
export function isKnown(tags: readonly string[], current: string | undefined): boolean {
  const opaque = (each: string) => each.replace(/^W\//, '');
  return current !== undefined && (tags[0] === '*' || tags.map(opaque).includes(opaque(current)));
}
