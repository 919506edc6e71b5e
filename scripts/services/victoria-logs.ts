import { join } from 'node:path';
import { GoProgram } from './go-program.ts';
import { readyOverHttp } from './http.ts';
import type { Kind } from './kind.ts';

const program = new GoProgram({
  name: 'victoria-logs',
  version: '1.52.1',
  modules: 'require github.com/VictoriaMetrics/VictoriaLogs v1.52.1',
  package: 'github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs',
});

/** Logs: takes the bulk API of Elasticsearch at `/insert/elasticsearch/_bulk`, and OTLP at `/insert/opentelemetry/v1/logs`. */
export const victoriaLogs: Kind = {
  name: 'victoria-logs',
  port: 19428,
  variable: 'SERVER_VICTORIA_LOGS_URL',
  buildMinutes: 1,
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => program.installed(),
  install: () => program.install(),

  prepare() {},
  commands({ port, folder }) {
    const words = [
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-loggerLevel=WARN',
    ];
    return [{ program: program.path, words, env: process.env }];
  },

  ...readyOverHttp('/health'),
  stopSignal: 'SIGTERM',
};
