// Real servers for tests: shared servers of `npm run services`, and private servers of one test.
import { Instance } from './instance.mjs';
import { kafka } from './kafka.mjs';
import { nats } from './nats.mjs';
import { postgres } from './postgres.mjs';
import { killWhenGone } from './processes.mjs';
import { rabbitmq } from './rabbitmq.mjs';

export const kinds = { rabbitmq, kafka, nats, postgres };

export const known = Object.fromEntries(
  Object.values(kinds).map(({ name, port, url, variable }) => [name, { port, url: url(port), variable }]),
);

export function installed(name) {
  return kinds[name].installed();
}

export async function startServer(name, { port, folder }) {
  const kind = kinds[name];
  if (!kind.installed()) throw new Error(`${name} is not installed; run: npm run services -- up ${name}`);
  const instance = new Instance(kind, { port, folder });
  await instance.start();
  let callOff = killWhenGone(instance.processes);
  return {
    name,
    url: kind.url(port),
    get pid() {
      return instance.pid;
    },
    answers: () => instance.answers(),
    kill: () => instance.kill(),
    async restart() {
      await instance.halt();
      callOff();
      await instance.start();
      kind.recover?.(instance);
      callOff = killWhenGone(instance.processes);
    },
    async stop() {
      await instance.stop();
      callOff();
    },
  };
}
