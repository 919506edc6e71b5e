export { surviveAcceptErrors } from './accept-errors.ts';
export { whyAmbiguous } from './ambiguous.ts';
export { ByteBuffer } from './byte-buffer.ts';
export { gatherBody } from './gather-body.ts';
export { answerInOrder } from './pipelining.ts';
export { UnsentAnswers } from './unsent-answers.ts';
