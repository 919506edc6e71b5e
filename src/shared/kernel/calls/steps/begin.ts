import { refuseInsideUnit } from '../../context/index.ts';
import { cancelledBefore, timedOut } from '../deadlines.ts';
import type { CallRequest, RoadStep } from '../transport.ts';

/**
 * Refuses a call whose deadline has passed, a call inside a unit of work, wherever the module runs, and a call that its caller
 * has cancelled already. The caller's signal cancels the call until it is answered.
 */
export const begin = (): RoadStep => (call, next) => {
  try {
    refuseWhatMustNotBegin(call);
  } catch (error) {
    return Promise.reject(error);
  }
  const answer = next(call);
  const { signal, context } = call;
  if (signal) {
    const cancel = () => context.cancellation?.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const listenNoMore = () => signal.removeEventListener('abort', cancel);
    answer.then(listenNoMore, listenNoMore);
  }
  return answer;
};

function refuseWhatMustNotBegin({ operation, context, signal }: CallRequest): void {
  if (context.deadline === 0) throw timedOut(operation);
  refuseInsideUnit(operation);
  if (context.cancellation?.cancelled || signal?.aborted) throw cancelledBefore(operation);
}
