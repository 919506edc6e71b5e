import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { Kerf } from '../../harness/kerf.ts';
import { describeWith } from '../../harness/servers.ts';

const program = join(process.cwd(), 'test/system/web/app.ts');

/** Starts the module `shelf` and its gateway. `placement` is the module's line in the topology. */
export function startShelf(placement: string, env: Record<string, string> = {}): Promise<Kerf> {
  return Kerf.start({ program, env: { MODULE_SHELF: placement, ...env } });
}

/** The running system of a suite. */
export interface Scene {
  kerf: Kerf;
  readonly placement: string;
}

/** Describes a suite once for each placement of the module: in the home process, by http, by gRPC, and by a queue where there is a broker. */
export function wherever(body: (scene: Scene) => void, env: Record<string, string> = {}): void {
  const suite = (placement: string, extra: Record<string, string> = {}) =>
    describe(`the module ${placement}`, () => {
      const scene = { placement } as Scene;
      beforeAll(async () => {
        scene.kerf = await startShelf(placement, { ...env, ...extra });
      });
      afterAll(() => scene.kerf?.stop());
      body(scene);
    });
  for (const placement of ['in-process', 'http', 'grpc']) suite(placement);
  describeWith('nats', 'calls by nats', ({ url }) => suite('queue', { BUS: `${url}?namespace=web-${randomUUID()}` }));
}

/** Returns a function that sends requests with JSON to the running system. */
export function sender(scene: Scene) {
  return async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/json', ...headers };
    const init = body ? { method, headers: type, body: JSON.stringify(body) } : { method, headers };
    const answer = await fetch(`${scene.kerf.url}${path}`, init);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: text ? JSON.parse(text) : null };
  };
}
