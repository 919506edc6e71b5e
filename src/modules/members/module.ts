import { z } from 'zod';
import { clock, defineModule } from '../../shared/kernel/module/index.ts';
import { members, wiring } from './contract.ts';
import { migrations } from './internal/migrations.ts';
import { Passwords } from './internal/passwords.ts';
import { displayName, profile, signIn } from './internal/queries.ts';
import { signUp } from './internal/sign-up.ts';
import { orchestratedWelcome, routedWelcome } from './internal/welcome.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

const sagas = { events: undefined, router: routedWelcome, orchestrated: orchestratedWelcome };

export default defineModule({
  contract: members,
  about,
  migrations,
  routes,
  settings: z.object({
    SIGN_UP_WIRING: wiring.default('events').describe('who welcomes a new member: events, router or orchestrated'),
  }),
  open(container) {
    const { SIGN_UP_WIRING } = container.settings;
    const passwords = new Passwords();
    const welcome = signUp(SIGN_UP_WIRING, sagas[SIGN_UP_WIRING], passwords, container.resolve(clock));
    return {
      operations: { signUp: welcome, signIn: signIn(passwords), profile, displayName },
      // Both, because a saga that began under another setting must still finish.
      sagas: [routedWelcome, orchestratedWelcome],
    };
  },
});
