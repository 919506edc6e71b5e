import { expect, it } from 'vitest';
import type { ModuleState } from '../admin-contract/index.ts';
import { announced } from './announce.ts';

const at = (pid: number | null, ...ports: number[]) =>
  ports.map((port, index) => ({ pid: pid && pid + index, address: `http://127.0.0.1:${port}` }));
const lines = (...rows: ModuleState[]) => announced(rows, (name) => name === 'orders');

it('prints where modules run, with the placement when it adds information', () => {
  const inside = { name: 'orders', placement: 'in-process', state: 'ready', instances: [{ pid: 7, address: null }] };
  const service = { name: 'payments', placement: 'grpc', state: 'ready', instances: at(8, 4105) };
  const away = { name: 'sms', placement: 'http+dns://sms:1', state: 'away', instances: [] };
  expect(lines(inside, service, away)).toEqual([
    '  orders    in this process',
    '  payments  http://127.0.0.1:4105 (process 8)  grpc',
    '  sms       nowhere yet  [away]  http+dns://sms:1',
  ]);
});

it('prints the number and the addresses of several instances', () => {
  const started = { name: 'mail', placement: 'http?instances=2', state: 'ready', instances: at(8, 4105, 4106) };
  const listed = 'http://127.0.0.1:4105,http://127.0.0.1:4106';
  expect(lines(started, { name: 'sms', placement: listed, state: 'away', instances: at(null, 4105, 4106) })).toEqual([
    '  mail  2 instances: http://127.0.0.1:4105 (process 8), http://127.0.0.1:4106 (process 9)  http?instances=2',
    '  sms   2 instances: http://127.0.0.1:4105, http://127.0.0.1:4106  [away]',
  ]);
});

it('prints an address once when it is also the placement', () => {
  const placed = { name: 'payments', placement: 'http://127.0.0.1:4105', state: 'ready', instances: at(null, 4105) };
  expect(lines(placed)).toEqual(['  payments  http://127.0.0.1:4105']);
});
