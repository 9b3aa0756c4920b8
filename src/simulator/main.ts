/**
 * Entry of the simulator. Prints one JSON line when it listens: {ws_url, control_url, root_key, media_url, media_ca
 * (path of a PEM file), token}. The only place that exits its process.
 */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { systemClock } from '../clock.ts';
import { setLogLevel } from '../log.ts';
import { createMessaging } from './messaging.ts';
import { type RunningSimulator, startSimulator } from './simulator.ts';

const usage = `usage: simulator [options]
  --port N               WebSocket port, 0 for any (3460)
  --control-port N       port of the control API, 0 for any (3461)
  --media-port N         port of the media host, 0 for the last one or any (0)
  --host ADDRESS         loopback address to listen on (127.0.0.1)
  --state DIR            keep the state there; without it everything is forgotten at the end
  --token TEXT           token of the control API; made up when absent
  --prekeys real|skip    skip: clients need not upload one-time keys (real)
  --exit-with-parent     end when standard input closes
  --verbose              log what happens`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3460' },
      'control-port': { type: 'string', default: '3461' },
      'media-port': { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      state: { type: 'string' },
      token: { type: 'string' },
      prekeys: { type: 'string', default: 'real' },
      'exit-with-parent': { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  });
  return {
    port: readPort(values.port),
    controlPort: readPort(values['control-port']),
    mediaPort: readPort(values['media-port']),
    host: readHost(values.host),
    stateDirectory: values.state ?? null,
    token: values.token ?? null,
    preKeys: values.prekeys === 'skip' ? ('skip' as const) : ('real' as const),
    exitsWithParent: values['exit-with-parent'],
    isVerbose: values.verbose,
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`"${text}" is not a port`);
  return port;
}

/** The simulator has no defences against strangers, so it does not listen where they are. */
function readHost(host: string): string {
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (!isLoopback) throw new Error(`"${host}" is not a loopback address; the simulator listens on such only`);
  return host;
}

function hint(simulator: RunningSimulator): string {
  return `
WhatsApp simulator
  clients connect to  ${simulator.wsUrl}
  root key to trust   ${simulator.rootKeyHex}
  control API         ${simulator.controlUrl}
  media host          ${simulator.mediaUrl}
  its authority       ${simulator.mediaCaPath}

Point a gateway here with WHATSAPP_URL, WHATSAPP_ROOT_KEY and, for media, NODE_EXTRA_CA_CERTS; show a QR code there, and scan it:
  curl -H 'Authorization: Bearer ${simulator.token}' -H 'Content-Type: application/json' \\
    -d '{"qr":"<the code as text>","phone":"+15550001111"}' ${simulator.controlUrl}/phones/scan

Ctrl-C ends it.
`;
}

async function main(): Promise<void> {
  const options = readArguments();
  setLogLevel(options.isVerbose ? 'debug' : 'warn');
  const simulator = await startSimulator({ ...options, clock: systemClock, createMessaging });
  const facts = {
    ws_url: simulator.wsUrl,
    control_url: simulator.controlUrl,
    root_key: simulator.rootKeyHex,
    media_url: simulator.mediaUrl,
    media_ca: simulator.mediaCaPath,
    token: simulator.token,
  };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  if (!options.exitsWithParent) process.stderr.write(hint(simulator));

  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    void simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (options.exitsWithParent) {
    process.stdin.on('end', stop).on('close', stop).on('error', stop);
    process.stdin.resume();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exit(1);
});
