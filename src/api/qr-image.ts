/** QR codes as pictures, drawn in a worker thread: a PNG takes 10 to 20 ms that the event loop has no time for. */
import { Piscina } from 'piscina';
import QRCode from 'qrcode';

export interface QrImages {
  png(text: string): Promise<Buffer>;
  svg(text: string): Promise<string>;
  dispose(): Promise<void>;
}

/** A code is asked for several times while it lasts: by pages that refresh, as JSON and as a picture. */
const mostCached = 64;
const idleTimeoutMs = 30_000;

/** The worker starts with the first picture and ends when none was wanted for a while. Dispose of it. */
export function createQrImages(): QrImages {
  const pool = new Piscina<string, Uint8Array>({
    filename: new URL('./qr-image-worker.js', import.meta.url).href,
    name: 'drawQr',
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: idleTimeoutMs,
  });
  const cache = new Map<string, Promise<Buffer>>();

  const draw = async (text: string): Promise<Buffer> => Buffer.from(await pool.run(text));

  return {
    png: (text) => {
      const known = cache.get(text);
      if (known !== undefined) return known;
      const picture = draw(text);
      cache.set(text, picture);
      picture.catch(() => cache.delete(text));
      const oldest = cache.keys().next();
      if (cache.size > mostCached && oldest.done !== true) cache.delete(oldest.value);
      return picture;
    },
    // An SVG is two to three milliseconds of string building: cheaper than the way to the worker and back.
    svg: (text) => QRCode.toString(text, { type: 'svg', errorCorrectionLevel: 'L' }),
    dispose: () => pool.destroy(),
  };
}
