import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { ManualClock } from '../context/index.ts';
import type { Log } from '../telemetry/index.ts';
import { surviveAcceptErrors } from './accept-errors.ts';

it('a listener survives the limit of open files, and logs it once a minute', async () => {
  const logged: { cure?: string }[] = [];
  const clock = new ManualClock();
  const server = createServer();
  surviveAcceptErrors(server, { error: (line: object) => void logged.push(line) } as unknown as Log, clock);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const tooMany = () => server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  for (let each = 0; each < 100; each++) tooMany();
  clock.advance(60_000);
  tooMany();
  expect(logged.map(({ cure }) => cure)).toEqual([
    expect.stringContaining('ulimit -n'),
    expect.stringContaining('ulimit -n'),
  ]);
  expect(server.listening).toBe(true);
  server.close();
});
