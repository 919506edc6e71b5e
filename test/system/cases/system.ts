import { Kerf, placements, type TestTopology } from '../../harness/kerf.ts';
import { Shop } from '../../harness/shop.ts';

/** The running system that a suite's cases share. */
export class System {
  kerf!: Kerf;
  /** As somebody who is not signed in. */
  shop!: Shop;
  /** A member whose orders and messages no case counts. */
  ada!: Shop;

  async open(topology: TestTopology): Promise<void> {
    await this.use(await Kerf.start({ env: placements(topology) }));
  }

  /** One that somebody has started. */
  async use(kerf: Kerf): Promise<void> {
    this.kerf = kerf;
    this.shop = new Shop(this.kerf.url);
    this.ada = await this.shop.join({ name: 'Ada' });
  }
}
