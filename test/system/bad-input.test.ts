import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { Kerf, moduleNames, placements, type TestTopology } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';
import { bodyCases } from './bad-input/bodies.cases.ts';
import { pathCases } from './bad-input/paths.cases.ts';
import { tokenCases } from './bad-input/tokens.cases.ts';
import { unreadCases } from './bad-input/unread.cases.ts';

function badInput(topology: TestTopology): void {
  const around = {} as { kerf: Kerf; token: string };

  beforeAll(async () => {
    around.kerf = await Kerf.start({ env: placements(topology) });
    const shop = new Shop(around.kerf.url);
    await shop.join({ email: 'ada@example.com' });
    const session = await shop.post<{ token: string }>('/sessions', {
      email: 'ada@example.com',
      password: 'correct horse',
    });
    around.token = session.body.token;
  });
  afterAll(async () => expect(await around.kerf.stop()).toBe(0));

  bodyCases(around);
  pathCases(around);
  tokenCases(around);
  unreadCases(around);

  it('logs no internal error for bad input', async () => {
    expect(await new Shop(around.kerf.url).get('/healthz')).toMatchObject({ status: 200 });
    expect(around.kerf.stderr).toBe('');
  });
}

describe('bad input, all in-process', () => badInput({ name: 'all in-process', out: [] }));
describe('bad input, all out', deep, () => badInput({ name: 'all out', out: moduleNames }));
