import { expect, it } from 'vitest';
import { ServiceTracerProvider } from './provider.ts';
import { withMaskedPaths } from './recorder.ts';

const mask = (text: string) => text.replace('ada@example.com', '[email]');

it.each<[string, Record<string, string>]>([
  ['of its own', { 'url.path': '/members/ada@example.com', other: 'ada@example.com' }],
  ['that are frozen', Object.freeze({ 'url.path': '/members/ada@example.com', other: 'ada@example.com' })],
])('masks the paths of a span with attributes %s, and leaves the others', (_, attributes) => {
  const ended: unknown[] = [];
  const tracer = new ServiceTracerProvider({
    ...{ ownService: 'home', resource: {}, sampling: { ratio: 1, byParent: true } },
    ended: (span) => void ended.push(withMaskedPaths(span, mask).attributes),
  }).getTracer('test');
  tracer.startSpan('request', { attributes }).end();
  expect(ended).toEqual([{ 'url.path': '/members/[email]', other: 'ada@example.com' }]);
});
