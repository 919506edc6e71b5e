import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { installed, kinds, type PrivateServer, startServer } from '../../scripts/services/index.ts';
import { deep } from '../harness/deep.ts';
import { freePort, newDataDir } from '../harness/kerf.ts';
import { required } from '../harness/servers.ts';

/** All kinds start, stop and restart by the same code (`scripts/services/instance.ts`), so `npm test` tries one; NATS is the fastest. */
const tried = ['nats' as const, ...Object.values(kinds).map(({ name }) => name)].find(installed);

for (const { name, portCount = 1 } of Object.values(kinds)) {
  const title = installed(name) ? name : `${name} (needs its programs: npx kerf services up ${name})`;
  describe.runIf(installed(name) || required(name))(`a private ${title}`, name === tried ? {} : deep, () => {
    let server: PrivateServer | undefined;
    afterAll(() => server?.stop());

    it('starts on the loopback interface only, is killed, restarts, and leaves no files or processes', async () => {
      const place = { port: await freePort(portCount), folder: newDataDir() };
      server = await startServer(name, place);
      const first = server.pid;
      expect(server.url).toContain(`127.0.0.1:${place.port}`);
      expect(await server.answers()).toBe(true);
      if (process.platform === 'linux') {
        const ports = Array.from({ length: portCount }, (_, index) => `127.0.0.1:${place.port + index}`);
        expect(listeners(first!)).toEqual(expect.arrayContaining(ports));
        expect(listeners(first!).filter((address) => !address.startsWith('127.0.0.1:'))).toEqual([]);
      }

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

/** Returns the addresses at which a process listens, without the notation that IPv6 has for addresses of IPv4. */
function listeners(pid: number): string[] {
  const { stdout, error } = spawnSync('ss', ['-Hltnp'], { encoding: 'utf8' });
  if (error) throw error;
  const own = stdout.split('\n').filter((line) => line.includes(`pid=${pid},`));
  return own.map((line) => line.split(/\s+/)[3]!.replace('[::ffff:127.0.0.1]', '127.0.0.1'));
}
