/** Where a simulator listens, as it says in one line of JSON on its stdout. */
export interface Announcement {
  readonly wsUrl: string;
  readonly controlUrl: string;
  readonly rootKeyHex: string;
  readonly token: string;
  /** Path of the certificate authority (PEM) of its media host; null when it has none. */
  readonly mediaCaPath: string | null;
}

/** Null for a line that is something else. */
export function parseAnnouncement(line: string): Announcement | null {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value)) return null;
    const { ws_url: wsUrl, control_url: controlUrl, root_key: rootKeyHex, token, media_ca: mediaCa } = value;
    if (typeof wsUrl !== 'string' || typeof controlUrl !== 'string') return null;
    if (typeof rootKeyHex !== 'string' || typeof token !== 'string') return null;
    if (!URL.canParse(wsUrl) || !URL.canParse(controlUrl)) return null;
    return { wsUrl, controlUrl, rootKeyHex, token, mediaCaPath: typeof mediaCa === 'string' ? mediaCa : null };
  } catch {
    return null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
