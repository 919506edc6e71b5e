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
    this.kerf = await Kerf.start({ env: placements(topology) });
    this.shop = new Shop(this.kerf.url);
    this.ada = await this.shop.join({ name: 'Ada' });
  }
}
