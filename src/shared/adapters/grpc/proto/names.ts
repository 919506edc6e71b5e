/** `ofOrder` and `of-order` become `OfOrder`. */
export function pascal(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join('');
}

/**
 * The name of a JSON field in proto. What begins with no letter is prefixed (proto makes names of its own with leading
 * underscores), and what every object has already, such as `constructor`, gets an underscore at its end.
 */
export function fieldName(key: string): string {
  const name = key.replaceAll(/[^A-Za-z0-9_]/g, '_');
  if (!/^[A-Za-z]/.test(name)) return `field_${name.replace(/^_+/, '')}`;
  return name in Object.prototype ? `${name}_` : name;
}

/** What proto takes a field to be called in JSON, unless it is told. */
export function jsonNameOf(name: string): string {
  return name.replaceAll(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}

/** Names that are given once: a second `Price` becomes `Price_2`. Two names with the same `likeness` are the same. */
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
