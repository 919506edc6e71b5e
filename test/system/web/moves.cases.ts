import { expect, it } from 'vitest';
import { Operator } from '../../harness/operator.ts';
import type { Scene } from './placements.ts';

/** Moves the module out of its process and back while its streams are open. */
export function moves(scene: Scene): void {
  const { placement } = scene;
  const move = async (to: string) => {
    const { status, body } = await new Operator(scene.kerf).ask('PUT', '/modules/shelf', {
      placement: to,
      forNow: true,
    });
    expect([status, body]).toMatchObject([200, {}]);
  };

  it('ends an open stream of events between two events, and a download with its last byte', async () => {
    const bytes = 20 * 1024 * 1024;
    const events = (await fetch(`${scene.kerf.url}/streams/ticks`)).body!.getReader();
    expect(Buffer.from((await events.read()).value!).toString()).toBe('data: tick\n\n');
    const ended = events.read();
    const download = await fetch(`${scene.kerf.url}/streams/bytes?bytes=${bytes}`);
    const [whole] = await Promise.all([download.arrayBuffer(), move('in-process')]);
    expect([whole.byteLength, (await ended).done]).toEqual([bytes, true]);
  });

  it('leaves a stream of the home process open when the module leaves it', async () => {
    const gone = new AbortController();
    const events = (await fetch(`${scene.kerf.url}/streams/ticks`, { signal: gone.signal })).body!.getReader();
    await events.read();
    await move(placement);
    const next = events.read();
    gone.abort();
    await expect(next).rejects.toThrow();
  });
}
