export { type CallCounter, type ServedCounter, timeOneOf } from './call-counter.ts';
export { type Call, type CallSource, createCall, createClient } from './client.ts';
export { composeSteps, type StepOf } from './compose.ts';
export { byDeadline, cancelledBefore, type Ending, saidLate, timedOut } from './deadlines.ts';
export { isDeliveryUnknown, isNotSent } from './delivery-status.ts';
export { asLocalCallerSees, InProcessTransport, type Parity } from './in-process.ts';
export {
  kernel,
  kernelOperation,
  ofKernel,
  type PassedBack,
  type PassedOn,
  type ShownDatabase,
  type StreamStep,
  type StreamStepAnswer,
} from './kernel-operations.ts';
export { type RoadHooks, road } from './road.ts';
export {
  type CallRequest,
  type Dispatch,
  type Link,
  maximumBodyBytes,
  type Next,
  type RoadStep,
  type Serve,
  type ServedCall,
  type ServeStep,
  type Transport,
} from './transport.ts';
export { ForeignAnswer, Unreachable, unreachableBecause } from './unreachable.ts';
