/** The part of the configuration table that is about where the gateway listens, and who stands in front of it. */
import { hostNames, integer, text, trustedProxies, url } from './config-variables.ts';

export const listeningVariables = {
  port: integer({
    name: 'PORT',
    fallback: '3451',
    min: 0,
    max: 65_535,
    sentence: 'Port of the API and the dashboard; 0 takes a free one.',
  }),
  host: text({
    name: 'HOST',
    fallback: '127.0.0.1',
    sentence: 'Address to listen on; 0.0.0.0 opens the gateway to the network.',
  }),
  publicUrl: url({
    name: 'PUBLIC_URL',
    protocols: ['http', 'https'],
    sentence: 'The address under which clients reach the gateway, when it is not the one above.',
  }),
  allowedHosts: hostNames({
    name: 'ALLOWED_HOSTS',
    fallback: '',
    sentence:
      'Host names to serve beside that of PUBLIC_URL, localhost and IP addresses, such as the name of a container; others get 421.',
  }),
  trustProxy: trustedProxies({
    name: 'TRUST_PROXY',
    fallback: '0',
    sentence:
      'The reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: their addresses and networks, or how many stand in front.',
  }),
  bodyLimitBytes: integer({
    name: 'BODY_LIMIT_BYTES',
    fallback: '262144',
    min: 1_024,
    max: 104_857_600,
    unit: 'bytes',
    sentence: 'Largest JSON body that is accepted.',
  }),
} as const;
