import { z } from 'zod';
import { steadyClock } from '../../kernel/context/index.ts';
import { parseInput } from '../../kernel/contract/index.ts';
import { callFaultSchema } from '../admin-contract/index.ts';
import type { ControlPart } from '../parts/index.ts';
import { CallFaults } from './call-faults.ts';
import { faultStep } from './fault-step.ts';
import { killAt } from './kill.ts';
import { injectFault } from './process-faults.ts';
import { serveFaults } from './serve.ts';

const sharedSchema = z.array(callFaultSchema);

/** Lets operators inject faults into calls and processes, and tests kill a process at a crash point (`FAULT_POINT`). */
export function faults(): ControlPart {
  return {
    name: 'faults',
    open({ identity, topology: { settings } }) {
      if (settings.FAULT_POINT) killAt(settings.FAULT_POINT, settings.DATA_DIR);
      // A fault ends at the same time in every process: all processes share the system's time.
      const active = new CallFaults(identity);
      return {
        faults: faultStep(active, steadyClock),
        server:
          ({ module, name }) =>
          (call, next) => {
            const inside = active.metInside(call.context.caller, module, name);
            if (inside) injectFault(inside);
            return next(call);
          },
        shared: { current: () => active.list(), set: (given) => active.set(parseInput(sharedSchema, given)) },
        serve: (app, fanOut, around) => serveFaults(app, fanOut, active, around),
      };
    },
  };
}
