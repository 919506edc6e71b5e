import { readyOverHttp } from './http.ts';
import { Jars, javaOptions } from './jars.ts';
import type { Kind } from './kind.ts';
import { pathOf } from './processes.ts';

const jars = new Jars('zipkin', '3.5.1', 'zipkin-jars.txt');

/** Traces, in memory. The page is at `/zipkin/`; spans are posted to `/api/v2/spans`. */
export const zipkin: Kind = {
  name: 'zipkin',
  port: 19411,
  variable: 'SERVER_ZIPKIN_URL',
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => jars.installed(),
  install: () => jars.install(),

  prepare() {},
  commands({ port }) {
    // All three: with QUERY_PORT alone, it listens on every interface.
    const listener = Object.entries({ port, ip: '127.0.0.1', 'protocols[0]': 'http' });
    const settings = listener.map(([key, value]) => `-Darmeria.ports[0].${key}=${value}`);
    const words = ['-Xmx256m', ...javaOptions, '-Dlogging.level.root=WARN', ...settings, '-jar', ...jars.files];
    return [{ program: pathOf('java'), words, env: process.env }];
  },

  ...readyOverHttp('/health'),
  stopSignal: 'SIGTERM',
};
