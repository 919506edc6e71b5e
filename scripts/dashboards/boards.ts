/** One panel: a question, and the queries that answer it. */
export interface Panel {
  readonly title: string;
  readonly unit: 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'ops';
  /** Legend → query. `$module` is the choice of the reader. */
  readonly queries: Readonly<Record<string, string>>;
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  /** Whether its reader chooses modules. */
  readonly byModule: boolean;
  readonly rows: Readonly<Record<string, readonly Panel[]>>;
}

const chosen = 'module=~"$module"';

const p99 = (series: string, by: string, labels = '') =>
  `histogram_quantile(0.99, sum by (${by}, le) (rate(${series}_bucket{${labels}}[$__rate_interval])))`;
const rate = (series: string, by: string, labels = '') =>
  `sum by (${by}) (rate(${series}{${labels}}[$__rate_interval]))`;

const system: Board = {
  uid: 'kerf-system',
  title: 'Kerf: system',
  about: 'Is the system well? Public requests, processes and disks.',
  byModule: false,
  rows: {
    Requests: [
      {
        title: 'Requests',
        unit: 'reqps',
        queries: { '{{route}}': rate('kerf_http_request_duration_seconds_count', 'route') },
      },
      {
        title: 'Share of requests that fail',
        unit: 'percentunit',
        queries: { '5 minutes': 'kerf:http_errors:ratio_rate5m', '1 hour': 'kerf:http_errors:ratio_rate1h' },
      },
      {
        title: 'Time of 99 % of requests',
        unit: 's',
        queries: { '{{route}}': p99('kerf_http_request_duration_seconds', 'route') },
      },
      {
        title: 'Answers, by status',
        unit: 'reqps',
        queries: { '{{status}}': rate('kerf_http_request_duration_seconds_count', 'status') },
      },
    ],
    Processes: [
      {
        title: 'Processes that answer',
        unit: 'short',
        queries: { '{{process}}': 'sum by (process) (up{job="kerf"})' },
      },
      {
        title: 'Event-loop delay (99 %)',
        unit: 's',
        queries: { '{{process}}': 'max by (process) (nodejs_eventloop_lag_p99_seconds)' },
      },
      {
        title: 'Processor time',
        unit: 'percentunit',
        queries: { '{{process}}': rate('process_cpu_seconds_total', 'process') },
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: { '{{process}}': 'sum by (process) (process_resident_memory_bytes)' },
      },
      {
        title: 'Garbage collection',
        unit: 'percentunit',
        queries: { '{{process}} {{kind}}': rate('nodejs_gc_duration_seconds_sum', 'process, kind') },
      },
      { title: 'Open files', unit: 'short', queries: { '{{process}}': 'sum by (process) (process_open_fds)' } },
      {
        title: 'Free space for data',
        unit: 'percentunit',
        queries: { '{{process}}': 'min by (process) (kerf_data_disk_free_bytes / kerf_data_disk_size_bytes)' },
      },
      {
        title: 'Module processes that are not ready',
        unit: 'short',
        queries: { '{{module}}': 'sum by (module) (kerf_module_processes - kerf_module_process_ready)' },
      },
      {
        title: 'Ends of module processes',
        unit: 'short',
        queries: {
          '{{module}} {{reason}}':
            'sum by (module, reason) (increase(kerf_module_process_ends_total[$__rate_interval]))',
        },
      },
      {
        title: 'Programs',
        unit: 'short',
        queries: { '{{artifact}} on {{node}}': 'count by (artifact, node) (kerf_build_info)' },
      },
    ],
  },
};

const module: Board = {
  uid: 'kerf-module',
  title: 'Kerf: module',
  about: 'How does one module do, wherever it runs?',
  byModule: true,
  rows: {
    Calls: [
      {
        title: 'Calls, by outcome',
        unit: 'ops',
        queries: { '{{module}} {{outcome}}': rate('kerf_calls_total', 'module, outcome', chosen) },
      },
      {
        title: 'Time of 99 % of calls, as callers see them',
        unit: 's',
        queries: { '{{operation}} ({{placement}})': p99('kerf_call_duration_seconds', 'operation, placement', chosen) },
      },
      {
        title: 'Calls that run or wait in its process',
        unit: 'short',
        queries: { '{{module}} {{state}}': `sum by (module, state) (kerf_module_calls{${chosen}})` },
      },
      {
        title: 'Processes that lead it',
        unit: 'short',
        queries: { '{{module}}': `sum by (module) (kerf_leader{${chosen}})` },
      },
    ],
    Data: [
      { title: 'Units of work', unit: 'ops', queries: { '{{module}}': rate('kerf_units_total', 'module', chosen) } },
      {
        title: 'Units in a commit',
        unit: 'short',
        queries: {
          '{{module}}': `${rate('kerf_commit_units_sum', 'module', chosen)} / (${rate('kerf_commit_units_count', 'module', chosen)} > 0)`,
        },
      },
      {
        title: 'Time of 99 % of commits',
        unit: 's',
        queries: { '{{module}}': p99('kerf_commit_duration_seconds', 'module', chosen) },
      },
      {
        title: 'Units that wait',
        unit: 'short',
        queries: { '{{module}}': `sum by (module) (kerf_units_waiting{${chosen}})` },
      },
    ],
  },
};

const edges: Board = {
  uid: 'kerf-edges',
  title: 'Kerf: edges',
  about: 'Who calls whom, how, and how well?',
  byModule: true,
  rows: {
    Calls: [
      {
        title: 'Calls',
        unit: 'ops',
        queries: {
          '{{caller}} → {{module}}.{{operation}} ({{placement}})': rate(
            'kerf_calls_total',
            'caller, module, operation, placement',
            chosen,
          ),
        },
      },
      {
        title: 'Calls that do not succeed',
        unit: 'ops',
        queries: {
          '{{caller}} → {{module}}.{{operation}} {{outcome}}': rate(
            'kerf_calls_total',
            'caller, module, operation, outcome',
            `${chosen},outcome!="ok"`,
          ),
        },
      },
      {
        title: 'Time of 99 % of calls',
        unit: 's',
        queries: {
          '{{caller}} → {{module}} ({{placement}} {{transport}})': p99(
            'kerf_call_duration_seconds',
            'caller, module, placement, transport',
            chosen,
          ),
        },
      },
      {
        title: 'Time of 99 % of calls of other processes, at the callee',
        unit: 's',
        queries: { '{{module}}.{{operation}}': p99('kerf_served_call_duration_seconds', 'module, operation', chosen) },
      },
    ],
    Resilience: [
      {
        title: 'Further attempts',
        unit: 'ops',
        queries: {
          '{{caller}} → {{module}}.{{operation}}': rate('kerf_call_retries_total', 'caller, module, operation', chosen),
        },
      },
      {
        title: 'Instances, by the state of their breaker',
        unit: 'short',
        queries: {
          '{{process}} sees {{module}} {{state}}': `sum by (process, module, state) (kerf_upstream_instances{${chosen}})`,
        },
      },
      {
        title: 'Choices of the balancer',
        unit: 'ops',
        queries: { '{{module}}': rate('kerf_balancer_picks_total', 'module', chosen) },
      },
      {
        title: 'Instances left out',
        unit: 'short',
        queries: {
          '{{module}}': `sum by (module) (increase(kerf_balancer_ejections_total{${chosen}}[$__rate_interval]))`,
        },
      },
      {
        title: 'Calls at bulkheads',
        unit: 'short',
        queries: {
          '{{caller}} → {{module}} {{state}}': `sum by (caller, module, state) (kerf_bulkhead_calls{${chosen}})`,
        },
      },
      {
        title: 'Calls in flight to other processes',
        unit: 'short',
        queries: { '{{module}}': `sum by (module) (kerf_upstream_calls_in_flight{${chosen}})` },
      },
    ],
  },
};

const events: Board = {
  uid: 'kerf-events',
  title: 'Kerf: events and sagas',
  about: 'What waits, what failed, and what waits for a person?',
  byModule: true,
  rows: {
    Events: [
      {
        title: 'Age of the oldest event that waits',
        unit: 's',
        queries: { '{{module}} → {{recipient}}': `max by (module, recipient) (kerf_outbox_age_seconds{${chosen}})` },
      },
      {
        title: 'Events that wait',
        unit: 'short',
        queries: { '{{module}} → {{recipient}}': `sum by (module, recipient) (kerf_outbox_events{${chosen}})` },
      },
      {
        title: 'Events given to the bus',
        unit: 'ops',
        queries: {
          '{{module}} → {{recipient}} {{outcome}}': rate(
            'kerf_events_dispatched_total',
            'module, recipient, outcome',
            chosen,
          ),
        },
      },
      {
        title: 'Time of 99 % of batches at the bus',
        unit: 's',
        queries: {
          '{{module}} → {{recipient}}': p99('kerf_event_dispatch_duration_seconds', 'module, recipient', chosen),
        },
      },
      {
        title: 'Events handled',
        unit: 'ops',
        queries: {
          '{{module}} {{event}} {{outcome}}': rate(
            'kerf_event_handling_duration_seconds_count',
            'module, event, outcome',
            chosen,
          ),
        },
      },
      {
        title: 'Time of 99 % of handlers',
        unit: 's',
        queries: { '{{module}} {{event}}': p99('kerf_event_handling_duration_seconds', 'module, event', chosen) },
      },
      {
        title: 'Events tried again',
        unit: 'short',
        queries: { '{{module}}': `sum by (module) (kerf_retry_queue_events{${chosen}})` },
      },
      {
        title: 'Age of the oldest event tried again',
        unit: 's',
        queries: { '{{module}}': `max by (module) (kerf_retry_queue_age_seconds{${chosen}})` },
      },
      {
        title: 'Dead letters',
        unit: 'short',
        queries: { '{{module}} {{direction}}': `sum by (module, direction) (kerf_dead_letters{${chosen}})` },
      },
    ],
    Sagas: [
      {
        title: 'Sagas that have not ended',
        unit: 'short',
        queries: { '{{module}}.{{saga}} {{state}}': `sum by (module, saga, state) (kerf_sagas{${chosen}})` },
      },
      {
        title: 'Sagas that ended',
        unit: 'ops',
        queries: {
          '{{module}}.{{saga}} {{outcome}}': rate('kerf_sagas_ended_total', 'module, saga, outcome', chosen),
        },
      },
      {
        title: 'Age of the oldest saga',
        unit: 's',
        queries: { '{{module}}.{{saga}} {{state}}': `max by (module, saga, state) (kerf_saga_age_seconds{${chosen}})` },
      },
    ],
  },
};

const moves: Board = {
  uid: 'kerf-moves',
  title: 'Kerf: moves',
  about: 'Which modules move, and does anybody notice?',
  byModule: true,
  rows: {
    Moves: [
      {
        title: 'Moves that ended, in the last hour',
        unit: 'short',
        queries: {
          '{{module}} {{outcome}}': `sum by (module, outcome) (increase(kerf_relocations_total{${chosen}}[1h]))`,
        },
      },
      {
        title: 'Moves now',
        unit: 'short',
        queries: { moves: 'count(kerf_relocation_in_flight) or vector(0)' },
      },
      {
        title: 'Mean time of a move',
        unit: 's',
        queries: {
          '{{module}}': `sum by (module) (kerf_relocation_seconds_total{${chosen}}) / (sum by (module) (kerf_relocations_total{${chosen}}) > 0)`,
        },
      },
      {
        title: 'Term of the leader',
        unit: 'short',
        queries: { '{{module}}': `max by (module) (kerf_leader_term{${chosen}})` },
      },
    ],
    Effects: [
      {
        title: 'Calls, by placement',
        unit: 'ops',
        queries: { '{{module}} {{placement}}': rate('kerf_calls_total', 'module, placement', chosen) },
      },
      {
        title: 'Time of 99 % of calls, by placement',
        unit: 's',
        queries: { '{{module}} {{placement}}': p99('kerf_call_duration_seconds', 'module, placement', chosen) },
      },
      {
        title: 'Processes that lead it',
        unit: 'short',
        queries: { '{{module}} in {{process}}': `max by (module, process) (kerf_leader{${chosen}} == 1)` },
      },
      {
        title: 'Share of requests that fail',
        unit: 'percentunit',
        queries: { 'all requests': 'kerf:http_errors:ratio_rate5m' },
      },
    ],
  },
};

export const boards: readonly Board[] = [system, module, edges, events, moves];
