import { id } from 'kerf/contract';
import type { ModuleUnit } from 'kerf/module';
import { type Saga, step } from 'kerf/saga';
import type { z } from 'zod';
import { mail } from '../../mail/contract.ts';
import { notifications } from '../../notifications/contract.ts';
import { sms } from '../../sms/contract.ts';

const data = notifications.operations.welcome.input.extend({ mailId: id, textId: id });
type Welcome = z.output<typeof data>;

const next = step<Welcome, ModuleUnit>;
const common = { version: 1, data };

/** Welcomes a member by a call to notifications, which knows the channels. */
const routed: Saga<Welcome, ModuleUnit> = {
  ...common,
  name: 'routed-welcome',
  steps: [
    next('have notifications welcome the member').call(
      notifications.operations.welcome,
      ({ mailId: _, textId: __, ...member }) => member,
    ),
  ],
};

/** Welcomes a member by calls to mail and sms. Members must therefore know every channel. */
const orchestrated: Saga<Welcome, ModuleUnit> = {
  ...common,
  name: 'orchestrated-welcome',
  steps: [
    next('send the mail').call(mail.operations.send, ({ mailId, memberId, email, name }) => ({
      messageId: mailId,
      memberId,
      to: email,
      subject: 'Welcome to Kerf',
      text: `Hello ${name},\n\nyour account is ready.\n`,
    })),
    next('send the text message')
      .call(sms.operations.send, ({ textId, memberId, phone }) => ({
        messageId: textId,
        memberId,
        to: phone!,
        text: 'Welcome to Kerf: your account is ready.',
      }))
      .when(({ phone }) => phone !== undefined),
  ],
};

/** The saga that welcomes a new member under each wiring. Under `events`, subscribers welcome the member. */
export const welcomes = { events: undefined, router: routed, orchestrated };
