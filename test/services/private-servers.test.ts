import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { installed, known, type PrivateServer, type ServerName, startServer } from '../../scripts/services/index.ts';
import { freePort, newDataDir } from '../harness/kerf.ts';
import { required } from '../harness/servers.ts';

for (const name of Object.keys(known) as ServerName[]) {
  const title = installed(name) ? name : `${name} (needs its programs: npm run services -- up ${name})`;
  describe.runIf(installed(name) || required())(`a private ${title}`, () => {
    let server: PrivateServer | undefined;
    afterAll(() => server?.stop());

    it('starts, is killed, restarts, and leaves no files or processes', async () => {
      const place = { port: await freePort(), folder: newDataDir() };
      server = await startServer(name, place);
      const first = server.pid;
      expect(server.url).toContain(`127.0.0.1:${place.port}`);
      expect(await server.answers()).toBe(true);

      await server.kill();
      expect(server.pid).toBeUndefined();
      expect(await server.answers()).toBe(false);

      await server.restart();
      expect(server.pid).not.toBe(first);
      expect(await server.answers()).toBe(true);

      await server.stop();
      expect(server.pid).toBeUndefined();
      expect(await server.answers()).toBe(false);
      expect(existsSync(place.folder)).toBe(false);
    });
  });
}
