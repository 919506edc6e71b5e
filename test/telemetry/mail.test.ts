import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type MailServer, smtpServer } from '../../src/modules/mail/internal/smtp.ts';
import { ServiceTracerProvider } from '../../src/shared/control/traces/provider.ts';
import { runInContext } from '../../src/shared/kernel/context/index.ts';
import { fromTraceFields, ofService, startSpan, withTrace } from '../../src/shared/kernel/telemetry/index.ts';
import { FakeMailServer } from '../crash/adapters/fake-mail-server.ts';

setFlagsFromString('--expose-gc');
globalThis.gc ??= runInNewContext('gc');

let ended: ReadableSpan[];
let fake: FakeMailServer;
let port: number;
let server: MailServer;
const parts = { ownService: 'home', resource: {}, sampling: { ratio: 1, byParent: true } };
trace.setGlobalTracerProvider(new ServiceTracerProvider({ ...parts, ended: (span) => void ended.push(span) }));

beforeEach(async () => {
  ended = [];
  fake = new FakeMailServer();
  port = await fake.open();
  server = smtpServer(`smtp://kerf:secret@127.0.0.1:${port}`, 'Kerf <shop@example.com>');
});

afterEach(async () => {
  server.close();
  await fake.close();
});

const to = 'ada@example.com';
const mail = { messageId: '01a20574-e188-771a-a67c-f689723c5abe', memberId: 'm', to, subject: 'Hi', text: 'Hello' };

/** Delivers a mail in a step of a saga. Returns how that ended, and the span of the step. */
async function deliver() {
  const step = startSpan('step hand to the server', {}, ofService('mail'));
  const outcome = await withTrace(step.context, () => server.deliver(mail)).then(
    () => 'sent',
    ({ code }: { code: string }) => code,
  );
  return { outcome, parentSpanId: step.span.spanContext().spanId };
}

function expectSpan(parentSpanId: string, more: object, code: SpanStatusCode): void {
  expect(
    ended.map(({ name, kind, status, attributes, parentSpanContext, resource }) => ({
      ...{ name, kind, attributes, code: status.code },
      ...{ parentSpanId: parentSpanContext?.spanId, service: resource.attributes['service.name'] },
    })),
  ).toEqual([
    {
      ...{ name: 'SMTP send', kind: SpanKind.CLIENT, code, parentSpanId, service: 'mail' },
      attributes: { 'network.protocol.name': 'smtp', 'server.address': '127.0.0.1', 'server.port': port, ...more },
    },
  ]);
  expect(JSON.stringify(ended.map(({ name, attributes, events }) => [name, attributes, events]))).not.toMatch(
    /ada|secret|Hello/,
  );
}

it('puts the exchange with the mail server into a span', async () => {
  const { outcome, parentSpanId } = await deliver();
  expect(outcome).toBe('sent');
  expectSpan(parentSpanId, {}, SpanStatusCode.UNSET);
});

it('tells that the server refused a mail for good, which fails no span', async () => {
  fake.refusals.set(to, '550 there is no such mailbox of ada');
  const { outcome, parentSpanId } = await deliver();
  expect(outcome).toBe('bounced');
  expectSpan(parentSpanId, { 'error.type': 'bounced' }, SpanStatusCode.UNSET);
});

it('fails when a later attempt may succeed', async () => {
  fake.refusals.set(to, '451 try later');
  const { outcome, parentSpanId } = await deliver();
  expect(outcome).toBe('EENVELOPE');
  expectSpan(parentSpanId, { 'error.type': 'EENVELOPE' }, SpanStatusCode.ERROR);
});

it('makes no span in a trace that is not sampled, unless the exchange fails', async () => {
  const outline = fromTraceFields({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` })!;
  await withTrace(outline, () => server.deliver(mail));
  expect(ended).toEqual([]);
  fake.refusals.set(to, '451 try later');
  await withTrace(outline, () => server.deliver(mail)).catch(() => {});
  expect(ended.map(({ name }) => name)).toEqual(['SMTP send']);
});

it('keeps nothing of the caller for which it opened a connection', async () => {
  const deliverFor = async () => {
    const context = { requestId: 'r', caller: 'mail', deadline: Number.POSITIVE_INFINITY };
    await runInContext(context, () => server.deliver(mail));
    return new WeakRef(context);
  };
  const gone = await deliverFor();
  for (let turn = 0; turn < 100 && gone.deref(); turn++) {
    // A reference that was read stays alive until the end of its turn.
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
  }
  expect(gone.deref()).toBeUndefined();
});
