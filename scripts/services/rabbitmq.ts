import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { Kind } from './kind.ts';
import { installPackages } from './packages.ts';
import { find, pathOf } from './processes.ts';

/** Debian's program on the search path runs only for root and its own user; the wrapped program runs for every user. */
const folders = ['/usr/lib/rabbitmq/bin'];

/** Contains no setting for durability: quorum queues sync to disk before they confirm. */
const settings = (port: number) => `
listeners.tcp.1 = 127.0.0.1:${port}
disk_free_limit.absolute = 100MB
raft.wal_max_size_bytes = 16777216
log.console = true
log.console.level = info
log.file = false
`;

/**
 * Elects missing leaders, again until each queue has one: in 3.10, a queue declared just before a kill may return without a leader. Returns
 * the queues that still have none after ten seconds.
 */
const elect = `
  Leaderless = fun() ->
    [P || Q <- rabbit_amqqueue:list(), amqqueue:get_type(Q) =:= rabbit_quorum_queue, P <- [amqqueue:get_pid(Q)],
      ra_leaderboard:lookup_leader(element(1, P)) =:= undefined]
  end,
  Elect = fun Again(Times) ->
    case {Leaderless(), Times} of
      {[], _} -> [];
      {Left, 0} -> Left;
      {Left, _} -> [ra:trigger_election(P) || P <- Left], timer:sleep(200), Again(Times - 1)
    end
  end,
  Elect(50).`;

const environmentIn = (folder: string) => join(folder, 'environment.json');

export const rabbitmq: Kind = {
  name: 'rabbitmq',
  port: 15673,
  variable: 'SERVER_AMQP_URL',
  url: (port) => `amqp://guest:guest@127.0.0.1:${port}`,

  installed: () => find('rabbitmq-server', folders) !== undefined && find('epmd') !== undefined,
  install: () => installPackages('rabbitmq', ['rabbitmq-server']),

  prepare({ port, folder }) {
    writeFileSync(join(folder, 'rabbitmq.conf'), settings(port));
    writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
  },
  /** Starts a private name server, so that none stays behind on all interfaces. */
  async commands({ port, folder }) {
    const [namePort, distributionPort] = [String(await freePort()), String(await freePort())];
    const env = {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: folder,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: namePort,
      RABBITMQ_NODENAME: `kerf-${port}@localhost`,
      RABBITMQ_DIST_PORT: distributionPort,
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: folder,
      RABBITMQ_LOGS: '-',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
        '-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none',
      // Makes the script become the server, so that its process id is the server's.
      RUNNING_UNDER_SYSTEMD: 'true',
    };
    writeFileSync(environmentIn(folder), JSON.stringify(env));
    return [
      { program: pathOf('epmd'), words: ['-port', namePort, '-address', '127.0.0.1'], env },
      { program: pathOf('rabbitmq-server', folders), words: [], env },
    ];
  },

  recover({ folder }) {
    const env: NodeJS.ProcessEnv = JSON.parse(readFileSync(environmentIn(folder), 'utf8'));
    const { status, stdout, stderr } = spawnSync(pathOf('rabbitmqctl', folders), ['eval', elect], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0 || stdout.trim() !== '[]')
      throw new Error(`rabbitmq: its queues could not be made to elect a leader: ${stdout}${stderr}`);
  },

  hello: Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
  /** Expects the method frame of connection.start. */
  answer: (heard) => heard.length > 0 && heard[0] === 1,
  stopSignal: 'SIGTERM',
};
