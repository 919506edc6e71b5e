import { describe, expect, it } from 'vitest';
import { adapters } from '../../../../test/harness/adapters.ts';
import { placementText, readPlacement, type ServicePlacement } from '../topology/index.ts';
import { readOrder } from './relocation-order.ts';

const three = readPlacement('grpc?instances=3&artifact=old/app.js', adapters) as ServicePlacement;
const atPort = readPlacement('http?port=4105', adapters) as ServicePlacement;
const placed = (body: object, outside?: ServicePlacement) =>
  placementText(readOrder('payments', body, outside, adapters).placement);

describe('an order', () => {
  it.each<[object, ServicePlacement | undefined, string]>([
    [{ via: 'http' }, three, 'http?instances=3&artifact=old/app.js'],
    [{ instances: 2 }, three, 'grpc?instances=2&artifact=old/app.js'],
    [{ artifact: 'new#2/app.js' }, three, 'grpc?instances=3&artifact=new%232/app.js'],
    [{ artifact: null }, three, 'grpc?instances=3'],
    [{ instances: null, artifact: null }, three, 'grpc'],
    [{ again: true }, three, 'grpc?instances=3&artifact=old/app.js'],
    [{ via: 'grpc' }, atPort, 'grpc?port=4105'],
    [{ instances: 2, port: null }, atPort, 'http?instances=2'],
    [{ via: 'grpc' }, undefined, 'grpc'],
    [{ instances: 2 }, undefined, 'http?instances=2'],
  ])('of %j keeps the other settings', (body, outside, text) => {
    expect(placed(body, outside)).toBe(text);
  });

  it('of a whole placement replaces all settings', () => {
    expect(placed({ placement: 'http' }, three)).toBe('http');
    expect(placed({ placement: 'in-process' }, three)).toBe('in-process');
  });

  it.each<[object, string]>([
    [{}, 'is missing'],
    [
      { placement: 'http', instances: 2 },
      'is complete by itself; leave out via, instances, port and artifact, or give only those',
    ],
    [{ instances: 2 }, 'one port is for one process: leave out port, or instances'],
    [{ instances: 65 }, 'instances is a whole number, 1 to 64'],
    [{ port: 0 }, 'port is 1 to 65535'],
    [{ via: 'queue' }, 'a module that is reached over a broker listens on no port of its own'],
    [{ artifact: '' }, 'artifact names no file'],
  ])('of %j is refused', (body, message) => {
    expect(() => readOrder('payments', body, atPort, adapters)).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        data: { issues: [{ path: 'placement', message: expect.stringContaining(message) }] },
      }),
    );
  });
});
