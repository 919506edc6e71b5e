import { type CallSource, createCall, kernelOperation, type RoadHooks } from '../../kernel/calls/index.ts';
import type { Directory } from './directory.ts';
import { type PoliciesConfig, policiesFor } from './resilience/policies.ts';

/**
 * Returns the calls of any caller to any operation. A policy may give an operation less time than its contract does. The kernel's own
 * operations keep their time, and no observer sees them.
 */
export function callSourceOf(
  directory: Pick<Directory, 'routeTo'>,
  policies: PoliciesConfig,
  { observers }: RoadHooks = {},
): CallSource {
  return (operation, caller) => {
    const transport = () => directory.routeTo(operation.module).transport;
    if (kernelOperation(operation.name)) return createCall(operation, caller, transport);
    const { timeoutMs } = policiesFor(policies, operation.module, operation);
    return createCall({ ...operation, timeoutMs }, caller, transport, observers ? { observers } : {});
  };
}
