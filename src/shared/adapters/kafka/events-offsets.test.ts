import { describe, expect, it } from 'vitest';
import { Offsets } from './events-offsets.ts';

describe('the offset to commit', () => {
  it('is the lowest incomplete one, also when later events are complete', () => {
    const offsets = new Offsets();
    expect(offsets.due).toBeUndefined();
    for (const offset of [5n, 6n, 9n]) offsets.begin(offset);
    offsets.end(6n);
    expect(offsets.due).toBe(5n);
    offsets.end(5n);
    expect(offsets.due).toBe(9n);
    offsets.end(9n);
    expect(offsets.due).toBe(10n);
    offsets.committed(10n);
    expect(offsets.due).toBeUndefined();
  });
});
