import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  makeGenericClientConstructor,
  type Server,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath } from 'grpc-health-check';
import { afterEach, describe, expect, it } from 'vitest';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import type { Serve } from '../../kernel/calls/index.ts';
import { sample } from '../../kernel/calls/transport.cases.ts';
import type { CallContext } from '../../kernel/context/index.ts';
import { type GrpcScene, gated, openScene, tokens } from './grpc.cases.ts';
import { protoText } from './proto/proto.ts';

type Done = (error: ServiceError | null, answer?: unknown) => void;
type Foreign = Client &
  Record<string, (input: unknown, metadata: Metadata, options: object, done: Done) => { cancel(): void }>;

const opened: { close(): unknown }[] = [];
afterEach(() => Promise.all(opened.splice(0).map((each) => each.close())));

async function open(serve?: Serve): Promise<GrpcScene> {
  const scene = await openScene({ serve });
  opened.push(scene);
  return scene;
}

/** Creates a client like a foreign program: from a `.proto` file. */
function clientOf(file: string, service: string, at: string): Foreign {
  const found = service
    .split('.')
    .reduce((all: never, name) => all[name], loadPackageDefinition(loadSync(file)) as never);
  return connect(found as ServiceClientConstructor, at);
}

function connect(Service: ServiceClientConstructor, at: string): Foreign {
  const client = new Service(at, credentials.createInsecure());
  opened.push(client);
  return client as unknown as Foreign;
}

/** Of the services that would be added to a server. */
function definitions(added: { addToServer(server: Pick<Server, 'addService'>): void }): ServiceDefinition[] {
  const found: ServiceDefinition[] = [];
  added.addToServer({ addService: (definition) => void found.push(definition) });
  return found;
}

function sampleClient(at: string): Foreign {
  const file = join(mkdtempSync(join(tmpdir(), 'kerf-grpc-')), 'sample.proto');
  writeFileSync(file, protoText(sample));
  return clientOf(file, 'kerf.sample.v1.Sample', at);
}

interface Asking {
  readonly token?: string;
  readonly metadata?: Record<string, string>;
  readonly deadline?: number;
}

async function ask(client: Foreign, name: string, input: unknown, { token, metadata = {}, ...options }: Asking = {}) {
  const beside = new Metadata();
  if (token) beside.set('authorization', `Bearer ${token}`);
  for (const [name, value] of Object.entries(metadata)) beside.set(name, value);
  return new Promise((resolve, reject) => {
    client[name]!(input, beside, options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

const statusOf = (asked: Promise<unknown>) =>
  asked.then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );

describe('a foreign program with the .proto and a token', () => {
  it('gets an answer', async () => {
    const { at } = await open();
    const token = await tokens.issue('other', 'sample');
    const input = { text: 'kerf 톱', tags: { items: ['a', ''] } };
    expect(await ask(sampleClient(at), 'echo', input, { token })).toEqual(input);
  });

  it('gets a refusal as a matching status, with the problem in metadata', async () => {
    const { at } = await open();
    const token = await tokens.issue('gateway', 'sample');
    const client = sampleClient(at);
    const error = await ask(client, 'refuse', {}, { token }).catch((caught: ServiceError) => caught);
    const { code, details, metadata } = error as ServiceError;
    expect([code, details]).toEqual([status.FAILED_PRECONDITION, 'it was over']);
    expect(JSON.parse(String(metadata.get('kerf-problem-bin')[0]))).toMatchObject({
      code: 'too-late',
      since: 'yesterday',
    });
    expect(await statusOf(ask(client, 'fail', {}, { token }))).toBe(status.INTERNAL);
    expect(await statusOf(ask(client, 'count', {}, { token, metadata: { 'kerf-member': 'nobody' } }))).toBe(
      status.UNAUTHENTICATED,
    );
  });

  it('sets the deadline with gRPC or, with precedence, with kerf-deadline-ms', async () => {
    const contexts: CallContext[] = [];
    const { at } = await open(async (_module, _operation, input, context) => {
      contexts.push(context);
      return input;
    });
    const [token, client, now] = [await tokens.issue('other', 'sample'), sampleClient(at), Date.now()];
    await ask(client, 'echo', { text: 'x' }, { token });
    await ask(client, 'echo', { text: 'x' }, { token, deadline: now + 25_000 });
    await ask(
      client,
      'echo',
      { text: 'x' },
      { token, deadline: now + 25_000, metadata: { 'kerf-deadline-ms': '65000' } },
    );
    const seconds = contexts.map(({ deadline }) => Math.floor((deadline - now) / 10_000) * 10);
    expect(seconds).toEqual([0, 20, 60]);
  });

  it('gets DEADLINE_EXCEEDED, and the callee is cancelled', async () => {
    const { serve, begun, letGo } = gated();
    const { at } = await open(serve);
    const token = await tokens.issue('other', 'sample');
    const late = statusOf(ask(sampleClient(at), 'when', {}, { token, deadline: Date.now() + 100 }));
    const { cancellation } = await begun;
    const told = new Promise<void>((resolve) => cancellation!.onCancel(resolve));
    expect(await late).toBe(status.DEADLINE_EXCEEDED);
    await told;
    letGo();
  });

  it('can cancel a call', async () => {
    const { serve, begun, letGo } = gated();
    const { at } = await open(serve);
    const beside = new Metadata();
    beside.set('authorization', `Bearer ${await tokens.issue('other', 'sample')}`);
    const ended = Promise.withResolvers<ServiceError | null>();
    const call = sampleClient(at).when!({}, beside, {}, ended.resolve);
    const { cancellation } = await begun;
    const told = new Promise<void>((resolve) => cancellation!.onCancel(resolve));
    call.cancel();
    await told;
    expect(await ended.promise).toMatchObject({ code: status.CANCELLED });
    letGo();
  });
});

describe('a foreign program without a valid token', () => {
  it('is rejected', async () => {
    const { at } = await open(() => Promise.reject(new Error('it was served')));
    const forged = new ServiceTokens(fixedKeyRing('TEST', 'another secret of more than 32 characters'));
    const bad = [undefined, 'nonsense', await forged.issue('other', 'sample'), await tokens.issue('other', 'payments')];
    const client = sampleClient(at);
    const codes = await Promise.all(bad.map((token) => statusOf(ask(client, 'echo', { text: 'x' }, { token }))));
    expect(codes).toEqual(bad.map(() => status.UNAUTHENTICATED));
  });

  it('can list the services by reflection', async () => {
    const { at } = await open();
    const [v1] = definitions(new ReflectionService({}));
    const client = connect(makeGenericClientConstructor(v1!, 'ServerReflection'), at);
    const talk = (client as never as { serverReflectionInfo(): NodeJS.ReadWriteStream }).serverReflectionInfo();
    const ask = async (question: object): Promise<unknown> => {
      talk.write(question as never);
      return new Promise((resolve) => talk.once('data', resolve));
    };
    const services = ['kerf.sample.v1.Sample', 'kerf.kerf.v1.Kerf'].map((name) => ({ name }));
    expect(await ask({ listServices: '' })).toMatchObject({
      listServicesResponse: { service: expect.arrayContaining(services) },
    });
    expect(await ask({ fileContainingSymbol: 'kerf.kerf.v1.Kerf' })).toMatchObject({
      fileDescriptorResponse: { fileDescriptorProto: expect.any(Array) },
    });
    talk.end();
  });

  it('gets nothing without a service token when reflection is guarded', async () => {
    const scene = await openScene({ guardReflection: true });
    opened.push(scene);
    const [v1] = definitions(new ReflectionService({}));
    const client = connect(makeGenericClientConstructor(v1!, 'ServerReflection'), scene.at);
    const reflect = (client as never as { serverReflectionInfo(metadata: Metadata): NodeJS.ReadWriteStream })
      .serverReflectionInfo;
    const ask = (token?: string): Promise<unknown> => {
      const metadata = new Metadata();
      if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
      const talk = reflect.call(client, metadata);
      talk.write({ listServices: '' } as never);
      return new Promise((resolve) => {
        talk.once('data', () => resolve(status.OK));
        talk.once('error', (error: ServiceError) => resolve(error.code));
      });
    };
    expect([await ask(), await ask('nonsense')]).toEqual([status.UNAUTHENTICATED, status.UNAUTHENTICATED]);
    expect(await ask(await tokens.issue('other', 'payments'))).toBe(status.UNAUTHENTICATED);
    expect(await ask(await tokens.issue('other', 'sample'))).toBe(status.OK);
  });

  it('can check the health of the services, which changes before a stop', async () => {
    const { at, leave } = await open();
    const client = clientOf(protoPath, 'grpc.health.v1.Health', at);
    const services = ['', 'kerf.sample.v1.Sample', 'kerf.kerf.v1.Kerf'];
    const check = () => Promise.all(services.map((service) => ask(client, 'check', { service })));
    expect(await check()).toMatchObject(services.map(() => ({ status: 1 })));
    leave();
    expect(await check()).toMatchObject(services.map(() => ({ status: 2 })));
  });
});
