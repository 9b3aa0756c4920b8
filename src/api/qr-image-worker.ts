/** Runs in a worker thread of the pool in qr-image.ts. */
import QRCode from 'qrcode';

export function drawQr(text: string): Promise<Buffer> {
  return QRCode.toBuffer(text, { type: 'png', errorCorrectionLevel: 'L', margin: 4, scale: 6 });
}
