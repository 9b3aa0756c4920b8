/** Where a simulator listens, as it says in one line of JSON on its stdout. */
export interface Announcement {
  readonly wsUrl: string;
  readonly controlUrl: string;
  readonly rootKeyHex: string;
  readonly token: string;
}

/** Null for a line that is something else. */
export function parseAnnouncement(line: string): Announcement | null {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value)) return null;
    const { ws_url: wsUrl, control_url: controlUrl, root_key: rootKeyHex, token } = value;
    if (typeof wsUrl !== 'string' || typeof controlUrl !== 'string') return null;
    if (typeof rootKeyHex !== 'string' || typeof token !== 'string') return null;
    return URL.canParse(wsUrl) && URL.canParse(controlUrl) ? { wsUrl, controlUrl, rootKeyHex, token } : null;
  } catch {
    return null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
