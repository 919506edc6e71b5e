import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokers, readSettings } from '../../scripts/doctor/settings.ts';
import { installed } from '../../scripts/services/index.ts';
import { type PrivateServer, privateServer, required } from '../harness/servers.ts';

async function found(bus: string) {
  const environment = { PATH: process.env.PATH, TOPOLOGY: '/dev/null', DATA_DIR: tmpdir(), PORT: '0', BUS: bus };
  const read = await readSettings([], environment);
  return { text: JSON.stringify(read), findings: brokers(read) };
}

for (const name of ['rabbitmq', 'nats'] as const) {
  const title = installed(name) ? name : `${name} (needs its programs: npx kerf services up ${name})`;
  describe.runIf(installed(name) || required(name))(`the check of brokers, with ${title}`, () => {
    let server: PrivateServer;
    beforeAll(async () => {
      server = await privateServer(name);
    });
    afterAll(() => server.stop());

    it('is content with a broker that answers', async () => {
      expect((await found(server.url)).findings).toEqual([{ level: 'ok', what: expect.stringContaining('answers') }]);
    });

    // The private NATS server lets everybody in.
    const refuses = name === 'rabbitmq';
    if (refuses)
      it('says that the broker refuses a user, and shows no password', async () => {
        const url = new URL(server.url);
        url.password = 'planted-secret';
        const { text, findings } = await found(url.href);
        expect(findings).toEqual([
          {
            level: 'error',
            what: expect.stringMatching(/refused|ACCESS/i),
            todo: expect.stringContaining('user and password'),
          },
        ]);
        expect(text).not.toContain('planted-secret');
      });

    it('says that a broker is down', async () => {
      await server.kill();
      expect((await found(server.url)).findings).toEqual([
        { level: 'error', what: expect.stringMatching(/refused|ECONNREFUSED/i), todo: expect.any(String) },
      ]);
    });
  });
}
