/** Pictures of groups: WhatsApp takes a square JPEG of this size. */
import { WardenError } from '../contract/errors.ts';

const sidePixels = 640;
/** A picture of a few kilobytes can claim to be gigabytes when it is unpacked. */
const mostPixels = 50_000_000;
const formats = ['jpeg', 'png', 'webp', 'gif', 'avif', 'heif', 'tiff'];

/**
 * Cuts the middle out of a picture. Works outside of the event loop, in the library's own threads. Throws
 * `media_type_not_supported` for what is no picture; `field` is where it came in.
 */
export async function squarePicture(picture: Uint8Array, field: string): Promise<Buffer> {
  // Loaded with the first picture: it takes megabytes, and most gateways never change one.
  const { default: sharp } = await import('sharp');
  try {
    const image = sharp(picture, { limitInputPixels: mostPixels, pages: 1 });
    const { format } = await image.metadata();
    // Formats that can refer to other files and hosts are no pictures here.
    if (!formats.includes(format)) throw notAPicture(field, format);
    return await image
      .autoOrient()
      .resize(sidePixels, sidePixels, { fit: 'cover' })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: 80 })
      .toBuffer();
  } catch (error) {
    throw error instanceof WardenError ? error : notAPicture(field, 'something else', error);
  }
}

function notAPicture(field: string, received: string, cause?: unknown): WardenError {
  return new WardenError('media_type_not_supported', {
    details: [{ field, expected: 'a JPEG, PNG, WebP or GIF in base64', received }],
    cause,
  });
}
