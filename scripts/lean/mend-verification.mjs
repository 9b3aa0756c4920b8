// Makes the library verify what it only pretends to verify. `Curve.verify` drops the boolean that libsignal answers and
// is true for every well-formed signature: of Noise certificates, of the account that vouches for a device, of signed
// pre-keys. The checks of the certificate chain that it leaves out are those that the other open clients make
// (whatsmeow, handshake.go).
import { replaceOnce } from './expected-shape.mjs';

/** Rewrites by path below node_modules; `verifier` is the module of verifyXEdDsa. */
export const mendedFiles = {
  '@whiskeysockets/baileys/lib/Utils/crypto.js': (source, file) =>
    replaceOnce(lazyWebCrypto(source, file), {
      file,
      find: 'curve.verifySignature(generateSignalPubKey(pubKey), message, signature); return true;',
      by: 'return curve.verifySignature(generateSignalPubKey(pubKey), message, signature) === true;',
    }),
  '@whiskeysockets/baileys/lib/Utils/noise-handler.js': (source, file) => {
    const withLeaf = replaceOnce(source, {
      file,
      find: 'const { issuerSerial } = details;',
      by: `const { issuerSerial } = details;
        const leafDetails = proto.CertChain.NoiseCertificate.Details.decode(leaf.details);
        if (leafDetails.issuerSerial !== details.serial || Buffer.compare(leafDetails.key, decStaticContent) !== 0) {
          throw new Boom('noise certificate is of another server', { statusCode: 400 });
        }`,
    });
    for (const find of [
      'const decStaticContent = decrypt(serverHello.static);',
      'const verify = Curve.verify(details.key, leaf.details, leaf.signature);',
      'const verifyIntermediate = Curve.verify(WA_CERT_DETAILS.PUBLIC_KEY, certIntermediate.details, certIntermediate.signature);',
      "if (!verify) { throw new Boom('noise certificate signature invalid', { statusCode: 400 }); }",
      "if (!verifyIntermediate) { throw new Boom('noise intermediate certificate signature invalid', { statusCode: 400 }); }",
      "if (issuerSerial !== WA_CERT_DETAILS.SERIAL) { throw new Boom('certification match failed', { statusCode: 400 }); }",
    ]) {
      replaceOnce(withLeaf, { file, find, by: '' });
    }
    return withLeaf;
  },
  '@whiskeysockets/baileys/lib/Utils/validate-connection.js': (source, file) => {
    replaceOnce(source, {
      file,
      find: "if (!Curve.verify(accountSignatureKey, accountMsg, accountSignature)) { throw new Boom('Failed to verify account signature'); }",
      by: '',
    });
    return source;
  },
  'libsignal/src/curve.js': (source, file, verifier) =>
    replaceOnce(source, {
      file,
      find: 'return isInit ? true : curveJs.verify(pubKey, msg, sig);',
      by: `return require(${JSON.stringify(verifier)}).verifyXEdDsa(pubKey, msg, sig);`,
    }),
  'libsignal/src/session_builder.js': (source, file) =>
    replaceOnce(source, {
      file,
      find: 'curve.verifySignature(device.identityKey, device.signedPreKey.publicKey, device.signedPreKey.signature, true);',
      by: `if (curve.verifySignature(device.identityKey, device.signedPreKey.publicKey, device.signedPreKey.signature) !== true) {
        throw new Error('Invalid signature of the signed pre-key');
      }`,
    }),
};

/** Pairing codes alone need the Web Crypto API; touching it loads all of it. */
function lazyWebCrypto(source, file) {
  const without = replaceOnce(source, { file, find: 'const { subtle } = globalThis.crypto;', by: '' });
  return without.replaceAll(/\bsubtle\./g, 'globalThis.crypto.subtle.');
}
