/** Converts `ofOrder` and `of-order` to `OfOrder`. */
export function pascal(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join('');
}

/**
 * Returns the proto name of a JSON field. Prefixes a name that does not begin with a letter (proto reserves leading underscores).
 * Appends an underscore to a name that every object already has, such as `constructor`.
 */
export function fieldName(key: string): string {
  const name = key.replaceAll(/[^A-Za-z0-9_]/g, '_');
  if (!/^[A-Za-z]/.test(name)) return `field_${name.replace(/^_+/, '')}`;
  return name in Object.prototype ? `${name}_` : name;
}

/** Returns proto's default JSON name of a field. */
export function jsonNameOf(name: string): string {
  return name.replaceAll(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}

/** Gives each name once: a second `Price` becomes `Price_2`. Two names with the same `likeness` count as the same. */
export class NamesGiven {
  readonly #given = new Set<string>();
  private readonly likeness: (name: string) => string;

  constructor(likeness = (name: string) => name) {
    this.likeness = likeness;
  }

  give(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#given.has(this.likeness(name)); count++) name = `${wanted}_${count}`;
    this.#given.add(this.likeness(name));
    return name;
  }
}
