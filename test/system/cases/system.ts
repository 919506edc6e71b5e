import { Kerf, placements, type TestTopology } from '../../harness/kerf.ts';
import { Shop } from '../../harness/shop.ts';

/** The running system that a suite's cases share. */
export class System {
  kerf!: Kerf;
  /** An unauthenticated client. */
  shop!: Shop;
  /** A member whose orders and messages no case counts. */
  ada!: Shop;

  async open(topology: TestTopology): Promise<void> {
    // Every trace is sampled, so that the cases see all spans.
    const env = { ...placements(topology), OTEL_TRACES_SAMPLER_ARG: '1' };
    await this.use(await Kerf.start({ env }));
  }

  /** Uses a system that the caller has started. */
  async use(kerf: Kerf): Promise<void> {
    this.kerf = kerf;
    this.shop = new Shop(this.kerf.url);
    this.ada = await this.shop.join({ name: 'Ada' });
  }
}
