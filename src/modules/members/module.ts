import { defineModule } from 'kerf/module';
import { z } from 'zod';
import { mail } from '../mail/contract.ts';
import { notifications } from '../notifications/contract.ts';
import { sms } from '../sms/contract.ts';
import { members, wiring } from './contract.ts';
import { Passwords } from './internal/passwords.ts';
import { signIn, signUp } from './internal/sign-up.ts';
import { displayName, migrations, profile } from './internal/store.ts';
import { welcomes } from './internal/welcome.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: members,
  about,
  uses: { notifications, mail, sms },
  migrations,
  routes,
  settings: z.object({
    SIGN_UP_WIRING: wiring.default('events').describe('who welcomes a new member: events, router or orchestrated'),
  }),
  open({ settings: { SIGN_UP_WIRING: wiring } }) {
    const passwords = new Passwords();
    return {
      operations: { signUp: signUp(wiring, passwords), signIn: signIn(passwords), profile, displayName },
      // Both, because a saga that began under another setting must still finish.
      sagas: [welcomes.router, welcomes.orchestrated],
    };
  },
});
