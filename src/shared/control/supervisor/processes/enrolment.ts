import { background } from '../../../kernel/context/index.ts';
import { safeParse } from '../../../kernel/contract/index.ts';
import { StartError } from '../../../kernel/errors/index.ts';
import { type Enrolment, ProcessIdentity, type PublicJwk } from '../../identity/index.ts';
import { toModuleProcess } from './messages.ts';

/** Environment variable that tells a process that its parent enrolls it. */
export const enrolledVariable = 'ENROLLED_BY_PARENT';
const withinMs = 10_000;

export function enrolsAtParent(): boolean {
  return process.send !== undefined && Boolean(process.env[enrolledVariable]);
}

/** Enrolls over the IPC channel to the parent. Only the parent can write to it. */
export async function enrolAtParent(only: readonly string[]): Promise<ProcessIdentity> {
  let waiting: ((enrolment: Enrolment) => void)[] = [];
  let identity: ProcessIdentity | undefined;
  process.on('message', (received) => {
    const { data } = safeParse(toModuleProcess, received);
    if (data?.type !== 'enrolled') return;
    const answered = waiting;
    waiting = [];
    for (const resolve of answered) resolve(data.enrolment);
    // The system's keys have changed: the parent sends an enrollment without a request.
    if (answered.length === 0) identity?.update(data.enrolment);
  });
  const enrol = (publicKey: PublicJwk) =>
    new Promise<Enrolment>((resolve, reject) => {
      const answered = (enrolment: Enrolment) => {
        clearTimeout(late);
        resolve(enrolment);
      };
      const late = background
        .setTimeout(() => {
          waiting = waiting.filter((each) => each !== answered);
          reject(new StartError(`the process that started this one did not enrol it within ${withinMs / 1_000} s`));
        }, withinMs)
        .unref();
      waiting.push(answered);
      process.send?.({ type: 'enrol', publicKey }, undefined, undefined, () => {});
    });
  identity = await ProcessIdentity.open(only, enrol);
  return identity;
}
