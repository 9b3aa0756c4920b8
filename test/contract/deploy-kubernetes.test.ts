import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { longestStopMs } from '../../src/stop-budget.ts';
import {
  configurationOf,
  readText,
  sessionsThatFit,
  stages,
  unknownVariables,
  wordsOf,
} from '../support/deployment.ts';

const text = readText('deploy/kubernetes.yaml');
const documents = parseAllDocuments(text).map((document) => {
  assert.deepEqual(document.errors, []);
  return z.looseObject({ kind: z.string() }).parse(document.toJS());
});

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.literal('http') }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number().optional(),
  failureThreshold: z.number(),
});
/** Strict, where Kubernetes ignores a word that it does not know. */
const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.string(),
  ports: z.array(z.strictObject({ name: z.literal('http'), containerPort: z.number() })),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  resources: z.strictObject({
    requests: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.string()),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});
const pod = z.strictObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.literal(false),
  enableServiceLinks: z.literal(false),
  terminationGracePeriodSeconds: z.number(),
  securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.number(), runAsGroup: z.number() }),
  containers: z.tuple([container]),
  volumes: z.array(z.looseObject({ name: z.string() })),
});
const statefulSet = z.looseObject({
  kind: z.literal('StatefulSet'),
  spec: z.strictObject({
    serviceName: z.string(),
    replicas: z.number(),
    selector: z.unknown(),
    template: z.strictObject({ metadata: z.unknown(), spec: pod }),
    volumeClaimTemplates: z.array(z.looseObject({ metadata: z.strictObject({ name: z.string() }) })),
  }),
});
const { spec } = statefulSet.parse(documents.find(({ kind }) => kind === 'StatefulSet'));
const [gateway] = spec.template.spec.containers;
const environment = Object.fromEntries(gateway.env.map(({ name, value }) => [name, value]));
const config = configurationOf(environment);

/** Checks one manifest by the schema of its kind. Throws when it does not follow it. */
function validateManifest(manifest: { readonly kind: string }): void {
  const read = { ...manifest };
  if (StatefulSet.is(read)) return new StatefulSet(read).validate();
  if (Service.is(read)) return new Service(read).validate();
  if (ServiceAccount.is(read)) return new ServiceAccount(read).validate();
  throw new Error(`no schema for ${manifest.kind}`);
}

describe('deploy/kubernetes.yaml', () => {
  test('follows the schemas of Kubernetes', () => {
    assert.deepEqual(documents.map(({ kind }) => kind).toSorted(), ['Service', 'ServiceAccount', 'StatefulSet']);
    for (const document of documents) validateManifest(document);
    const wrong = { apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { replicas: 'one' } };
    assert.throws(() => validateManifest(wrong), /replicas must be integer/);
  });

  test('runs one gateway, and never a second beside it', () => {
    assert.equal(spec.replicas, 1);
  });

  test('runs as the user of the image', () => {
    const image = stages().at(-1);
    assert.ok(image !== undefined);
    const { runAsUser, runAsGroup } = spec.template.spec.securityContext;
    assert.equal(`${runAsUser}:${runAsGroup}`, wordsOf(image, 'USER').join(' '));
    const places = gateway.volumeMounts.map(({ mountPath }) => mountPath);
    for (const path of wordsOf(image, 'VOLUME')) assert.ok(places.includes(path), path);
  });

  test('mounts only volumes that there are', () => {
    const volumes = [
      ...spec.template.spec.volumes.map(({ name }) => name),
      ...spec.volumeClaimTemplates.map(({ metadata }) => metadata.name),
    ];
    assert.deepEqual(gateway.volumeMounts.map(({ name }) => name).toSorted(), volumes.toSorted());
  });

  test('sets variables that the gateway reads, and its port', () => {
    assert.deepEqual(unknownVariables(Object.keys(environment)), []);
    assert.deepEqual(gateway.ports, [{ name: 'http', containerPort: config.port }]);
  });

  test('asks for life without the database, and for readiness with it', () => {
    assert.equal(gateway.startupProbe.httpGet.path, '/livez');
    assert.equal(gateway.livenessProbe.httpGet.path, '/livez');
    assert.equal(gateway.readinessProbe.httpGet.path, '/readyz');
  });

  test('lets the gateway end by itself, after it was taken out of the Service', () => {
    assert.ok(config.drainDelayMs > 0);
    assert.ok(spec.template.spec.terminationGracePeriodSeconds * 1_000 > longestStopMs(config));
  });

  test('keeps the memory caps of all sessions within its limit, and tells how many that are', () => {
    assert.equal(config.overcommit, 1);
    const [, told, capMb, gibibytes] = /(\d+) sessions of (\d+) MB in\s+(?:#\s+)?(\d+)Gi/.exec(text) ?? [];
    assert.equal(gateway.resources.limits['memory'], `${gibibytes}Gi`);
    assert.deepEqual(
      [Number(told), Number(capMb)],
      [sessionsThatFit(Number(gibibytes) * 1024, config), config.sessionMemoryMb],
    );
  });
});
