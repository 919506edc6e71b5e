export { isKernelCode, type KernelCode, kernelCodes } from './codes.ts';
export { whyDiskFull, whyNoRoom } from './disk-full.ts';
export { errorCode } from './error-code.ts';
export { NotWritten, notWrittenIn } from './not-written.ts';
export {
  betweenProcesses,
  fromProblem,
  headersOf,
  type Issue,
  invalidInput,
  isAway,
  isBetweenProcesses,
  isFailure,
  isProblem,
  isRefusal,
  isTransient,
  messageOf,
  orNotFound,
  type Problem,
  Refusal,
  refusal,
  toProblem,
} from './refusal.ts';
export { StartError } from './start-error.ts';
export { whyNoMoreFiles, whyTooManyFiles } from './too-many-files.ts';
