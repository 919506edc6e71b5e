import type { RoadStep, Transport } from '../transport.ts';

/** Sends the call to the place where the module runs at that moment: a module may move while it is called. */
export const route =
  ({ transport }: { readonly transport: () => Transport }): RoadStep =>
  (call) =>
    transport().call(call);
