import { diag } from '@opentelemetry/api';
import { afterEach, expect, it, vi } from 'vitest';
import { logDiagnostics } from '../../src/shared/control/exporting/index.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';

afterEach(() => diag.disable());

it.each([
  [
    JSON.stringify({ stack: 'Error\n    at x'.repeat(100), message: 'connect', code: 'ECONNREFUSED' }),
    'ECONNREFUSED: connect',
  ],
  [JSON.stringify({ stack: 'Error', message: '', code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['null', 'null'],
  ['the queue is full', 'the queue is full'],
  ['x'.repeat(1_000), 'x'.repeat(500)],
])('a problem of an exporter is logged by its reason: %#', (problem, reason) => {
  const warn = vi.fn();
  logDiagnostics({ ...silentLog, warn });
  diag.error(problem);
  expect(warn).toHaveBeenCalledExactlyOnceWith({ problem: reason }, expect.stringContaining('cannot be sent'));
});
