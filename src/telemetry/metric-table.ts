/** Every metric: what is exposed and what docs/metrics.md says of it follow from this table. Pure. */

export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  /** A sentence. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, of histograms. */
  readonly buckets?: readonly number[];
  /** Exposed with METRICS_PER_SESSION only. */
  readonly isPerSession?: true;
  /** Absent while the database does not answer. */
  readonly isOfDatabase?: true;
}

const counter = (name: string, help: string, labels: readonly string[] = []): MetricEntry => ({
  type: 'counter',
  name,
  help,
  labels,
});
const gauge = (name: string, help: string, labels: readonly string[] = []): MetricEntry => ({
  type: 'gauge',
  name,
  help,
  labels,
});
const ofDatabase = (entry: MetricEntry): MetricEntry => ({ ...entry, isOfDatabase: true });
const perSession = (entry: MetricEntry): MetricEntry => ({ ...entry, isPerSession: true });

/** From a local answer to the longest wait that SEND_TIMEOUT_MS and pacing make likely. */
const sendBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export const metricTable = {
  info: gauge('warden_info', 'Always 1; its label tells which version runs.', ['version']),
  started: gauge('process_start_time_seconds', 'When the gateway was started, in seconds since 1970.'),
  cpu: counter('process_cpu_seconds_total', 'CPU time that the supervisor has used.'),
  openDescriptors: gauge('process_open_fds', 'File descriptors that the supervisor has open.'),
  maxDescriptors: gauge('process_max_fds', 'File descriptors that the supervisor may have open.'),
  loopDelay: gauge('warden_event_loop_delay_seconds', "Delay of the supervisor's event loop since the last scrape.", [
    'quantile',
  ]),
  heap: gauge('warden_heap_used_bytes', 'JavaScript heap that the supervisor uses.'),

  sessions: ofDatabase(gauge('warden_sessions', 'Sessions by status, as GET /sessions tells it.', ['status'])),
  children: gauge('warden_children', 'Child processes by state.', ['state']),
  childExits: counter('warden_child_exits_total', 'Processes of sessions that have ended, by cause.', ['cause']),
  childRestarts: gauge('warden_children_restarts', 'Unplanned restarts of the children that there are, together.'),
  childLoopDelay: gauge('warden_children_event_loop_delay_max_seconds', 'The largest event-loop delay of any child.'),
  startsWaiting: gauge('warden_starts_waiting', 'Processes that wait to start, and links that wait to connect.', [
    'gate',
  ]),
  startsPaused: gauge('warden_starts_paused', '1 while too many processes have ended at once and starts are paused.'),

  memory: gauge('warden_memory_private_bytes', 'Private memory, in RAM and swapped out, by kind of process.', [
    'process',
  ]),
  memoryLimit: gauge('warden_memory_limit_bytes', 'Memory of the container, or else of the machine.'),
  memoryFree: gauge('warden_memory_free_bytes', 'What of that is free.'),
  memoryCaps: gauge('warden_memory_caps_bytes', 'Sum of the memory caps of all children.'),
  memoryBudget: gauge('warden_memory_budget_bytes', 'What the memory caps of all children may sum up to.'),

  events: counter('warden_events_total', 'What sessions have told, by event; each is counted when it is committed.', [
    'event',
  ]),
  received: counter('warden_messages_received_total', 'Messages that came in.'),
  sent: counter('warden_messages_sent_total', 'Messages that WhatsApp has acknowledged.'),
  failed: counter('warden_messages_failed_total', 'Messages that have failed for good, by code.', ['code']),
  sendLatency: {
    type: 'histogram',
    name: 'warden_send_latency_seconds',
    help: "From the acceptance of a message to WhatsApp's acknowledgement, pacing and waiting for a connection included.",
    labels: [],
    buckets: sendBuckets,
  },

  webhooks: ofDatabase(
    gauge('warden_webhooks', 'Webhooks by the state of their breaker, those that are off apart.', ['state']),
  ),
  queueDepth: ofDatabase(
    gauge('warden_webhook_queue_depth', 'Deliveries that wait, those of disabled webhooks aside.'),
  ),
  queueAge: ofDatabase(gauge('warden_webhook_queue_oldest_seconds', 'Age of the oldest of them; 0 when none waits.')),
  queueHeld: ofDatabase(gauge('warden_webhook_held', 'Deliveries that wait for a disabled webhook.')),
  deadLetters: ofDatabase(gauge('warden_webhook_dead_letters', 'Deliveries that were given up and are kept.')),
  attempts: counter('warden_webhook_attempts_total', 'Attempts to deliver, by outcome.', ['outcome']),
  attemptDuration: {
    type: 'histogram',
    name: 'warden_webhook_attempt_duration_seconds',
    help: 'How long an attempt to deliver took.',
    labels: [],
    buckets: requestBuckets,
  },

  requests: counter('warden_http_requests_total', 'HTTP requests, by operation and class of status.', [
    'operation',
    'method',
    'status',
  ]),
  requestDuration: {
    type: 'histogram',
    name: 'warden_http_request_duration_seconds',
    help: 'From the head of a request to the head of its answer, by operation.',
    labels: ['operation'],
    buckets: requestBuckets,
  },
  requestErrors: counter(
    'warden_http_errors_total',
    'Errors that were answered, by code; rate_limited and pacing_limit are refusals of limiters.',
    ['code'],
  ),
  streams: gauge('warden_event_streams', 'Event streams that are open.'),

  databaseUp: gauge('warden_database_up', '1 when the database has answered during this scrape.'),
  pool: gauge(
    'warden_database_connections',
    'Connections of both pools, that of commits and that of all else, by what they do.',
    ['state'],
  ),
  poolSize: gauge('warden_database_connections_max', 'Connections that the pools may open.'),
  poolWaiting: gauge('warden_database_waiting', 'Pieces of work that wait for a connection.'),
  ipcInFlight: gauge('warden_ipc_requests_in_flight', 'Requests between processes without an answer yet.', [
    'direction',
  ]),
  ipcRefused: counter('warden_ipc_refused_total', 'Requests that a child had no room for; they are answered as busy.'),
  spool: gauge('warden_spool_bytes', 'Files on their way to WhatsApp.'),
  spoolQuota: gauge('warden_spool_quota_bytes', 'What they may take up.'),

  sessionStatus: perSession(
    ofDatabase(gauge('warden_session_status', '1 for the status that a session has.', ['session', 'status'])),
  ),
  sessionMemory: perSession(
    ofDatabase(
      gauge('warden_session_memory_bytes', 'Private memory of the process that hosts a session.', ['session']),
    ),
  ),
  sessionRestarts: perSession(
    ofDatabase(gauge('warden_session_restarts', 'Unplanned restarts of that process.', ['session'])),
  ),
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricKey = keyof typeof metricTable;

export const metricEntries: readonly MetricEntry[] = Object.values(metricTable);
