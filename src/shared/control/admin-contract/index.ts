export { apiKeysAnswer, memberRolesSchema, newApiKeyAnswer, newApiKeySchema, rolesAnswer } from './access.ts';
export { adviceAnswer } from './advice.ts';
export { deadLetterRow, deadLetterSchema, decidedRow } from './dead-letters.ts';
export {
  type AskedProcess,
  outboxRow,
  type Prerequisites,
  type ProcessFacts,
  prerequisitesSchema,
  processAnswer,
  processesAnswer,
} from './doctor.ts';
export {
  type CallFault,
  callFaultSchema,
  type FaultOrder,
  faultAnswer,
  faultOrderSchema,
  faultsSchema,
  type ProcessFault,
} from './faults.ts';
export { logLevelsAnswer, logLevelsSchema } from './log-levels.ts';
export { isVia, maxInstances, type Via, viaChoice, vias, wires } from './placements.ts';
export { problemAnswer } from './problem.ts';
export {
  abortSchema,
  type Canary,
  type Change,
  canarySchema,
  type Mirror,
  mirrorSchema,
  moduleAnswer,
  type ProgressLine,
  progressLine,
  relocationSchema,
  type StepObservation,
} from './relocations.ts';
export { type Away, isAway, rowsOf } from './rows.ts';
export { sagaAnswer, sagaRow, sagaStates, settlementSchema } from './sagas.ts';
export { type ModuleState, topologyAnswer } from './topology.ts';
export {
  type Crossing,
  finalSpans,
  type SpanRow,
  type TraceRow,
  type TraceSummary,
  type TracesQuery,
  traceRow,
  traceSummary,
  tracesQuery,
} from './traces.ts';
