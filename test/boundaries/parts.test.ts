import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlParts } from '../../.dependency-cruiser.js';
import { deep } from '../harness/deep.ts';
import { Kerf } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { Copy } from './copy.ts';

/** `adapters.test.ts` checks the types and the borders without all of them. */
describe('an optional part of control is a folder, and a call in src/app.ts', () => {
  const copies = new Map<string, Copy>();
  const least = new Copy();
  beforeAll(() => {
    for (const name of controlParts) least.removeListed('control', name);
  });
  afterAll(() => {
    for (const copy of [...copies.values(), least]) copy.delete();
  });

  it('without all of them, the system starts and moves modules, and refuses what it does not have', async () => {
    const kerf = await Kerf.start({ program: least.build() });
    const operator = new Operator(kerf);
    expect((await operator.ask('GET', '/faults')).status).toBe(404);
    expect((await operator.ask('GET', '/advice')).status).toBe(404);
    expect((await operator.ask('GET', '/traces')).status).toBe(404);
    expect(await operator.ask('PUT', '/modules/sms', { placement: 'http', canary: {} })).toMatchObject({
      status: 422,
      body: {
        issues: [{ path: 'canary', message: expect.stringContaining('add trials() to "control" in src/app.ts') }],
      },
    });
    expect(await operator.ask('PUT', '/modules/sms', { placement: 'http', forNow: true })).toMatchObject({
      status: 200,
      body: { to: 'http' },
    });
    expect(await kerf.stop()).toBe(0);
  });

  it.each(controlParts)('without %s, the rest keeps its types and its borders, and starts', deep, async (name) => {
    const copy = new Copy();
    copies.set(name, copy);
    copy.removeListed('control', name);
    expect(copy.typeErrors()).toBe('');
    expect(copy.report().violations).toEqual([]);
    const kerf = await Kerf.start({ program: copy.build() });
    expect((await fetch(`${kerf.url}/readyz`)).status).toBe(200);
    expect(await kerf.stop()).toBe(0);
  });
});
