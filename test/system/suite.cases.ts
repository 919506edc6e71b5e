import { afterAll, beforeAll, describe, expect, type TestOptions } from 'vitest';
import type { TestTopology } from '../harness/kerf.ts';
import { boardCases } from './cases/board.cases.ts';
import { cancelCases } from './cases/cancel.cases.ts';
import { checkoutCases } from './cases/checkout.cases.ts';
import { limitedCases } from './cases/limited.cases.ts';
import { memberCases } from './cases/members.cases.ts';
import { messageCases } from './cases/messages.cases.ts';
import { productCases } from './cases/products.cases.ts';
import { referenceCases } from './cases/reference.cases.ts';
import { roleCases } from './cases/roles.cases.ts';
import { summaryCases } from './cases/summary.cases.ts';
import { System } from './cases/system.ts';
import { traceCases } from './cases/traces.cases.ts';

/** Tests the promises of the public API, which hold in every topology. */
export function systemSuite(topology: TestTopology, options: TestOptions = {}): void {
  describe(topology.name, options, () => {
    const system = new System();
    beforeAll(() => system.open(topology));
    afterAll(async () => expect(await system.kerf.stop(), system.kerf.stderr).toBe(0));

    describe.concurrent('members', () => memberCases(system));
    describe.concurrent('products', () => productCases(system));
    describe.concurrent('roles', () => roleCases(system));
    describe.concurrent('checkout', () => checkoutCases(system));
    describe.concurrent('cancellation', () => cancelCases(system));
    describe.concurrent('summary', () => summaryCases(system));
    describe.concurrent('messages', () => messageCases(system));
    describe.concurrent('board', () => boardCases(system));
    describe.concurrent('traces', () => traceCases(system));
    describe.concurrent('reference', () => referenceCases(system));
    describe('concurrent orders', () => limitedCases(system));
  });
}
