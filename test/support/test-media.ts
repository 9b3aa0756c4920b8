/** The media room of a gateway in tests, in a folder of its own; private addresses of this machine may be fetched from. */
import { logger } from '../../src/log.ts';
import { createMedia, type Media, type MediaSettings } from '../../src/media/media.ts';
import type { Store } from '../../src/store/store.ts';

const megabyte = 1024 * 1024;

export function openTestMedia(
  folder: string,
  store: Pick<Store, 'media'>,
  settings: Partial<MediaSettings> = {},
): Promise<Media> {
  return createMedia({
    settings: {
      folder,
      spoolQuotaBytes: 64 * megabyte,
      cacheQuotaBytes: 64 * megabyte,
      maxBytes: { image: megabyte, sticker: megabyte, video: megabyte, audio: megabyte, document: 2 * megabyte },
      fetchTimeoutMs: 2_000,
      downloadTimeoutMs: 2_000,
      allowCidrs: ['127.0.0.1/32'],
      userAgent: 'Warden/test',
      ffmpegPath: '',
      ...settings,
    },
    listNeeded: () => store.media.listSpooled(),
    findUploaded: async (id, isSandbox) => (await store.media.getUploaded(id, isSandbox, Date.now()))?.prepared ?? null,
    log: logger('media'),
  });
}
