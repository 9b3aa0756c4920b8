/** From the configuration to what the media room is told. */
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { MediaSettings } from './media/media.ts';
import { gatewayVersion } from './version.ts';

const megabyte = 1024 * 1024;

export function mediaSettings(config: Config): MediaSettings {
  const imageBytes = config.mediaMaxImageMb * megabyte;
  return {
    folder: join(config.storagePath, 'media'),
    spoolQuotaBytes: config.spoolQuotaMb * megabyte,
    cacheQuotaBytes: config.mediaCacheMb * megabyte,
    maxBytes: {
      image: imageBytes,
      sticker: imageBytes,
      video: config.mediaMaxVideoMb * megabyte,
      audio: config.mediaMaxAudioMb * megabyte,
      document: config.mediaMaxDocumentMb * megabyte,
    },
    fetchTimeoutMs: config.mediaFetchTimeoutMs,
    downloadTimeoutMs: config.mediaDownloadTimeoutMs,
    allowCidrs: config.outboundAllowCidr,
    userAgent: `Warden/${gatewayVersion}`,
    ffmpegPath: config.ffmpegPath,
  };
}
