/** A real Chromium, out of a package of the registry: no system package and no download of its own is needed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly javaScriptEnabled?: boolean;
}

export interface TestBrowser {
  /** A page in a context of its own; what it logs as an error and what it asks of other hosts is kept. */
  newPage(options?: PageOptions): Promise<TestPage>;
  close(): Promise<void>;
}

export interface TestPage {
  readonly page: Page;
  readonly errors: readonly string[];
  /** URLs outside the origin given, which a page of ours never asks for. */
  foreignRequests(origin: string): readonly string[];
}

/** Starts a browser; close it in `after`. */
export async function startBrowser(): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'warden-browser-'));
  // The package unpacks the browser below the temporary folder, where another user's copy may lie already.
  process.env['TMPDIR'] = folder;
  const { default: packaged } = await import('@sparticuz/chromium');
  const browser: Browser = await chromium.launch({
    executablePath: await packaged.executablePath(),
    // Not the package's own list, which is made for functions in a cloud and switches web security off.
    args: [
      '--headless=shell',
      '--no-sandbox',
      '--no-zygote',
      '--disable-gpu',
      '--hide-scrollbars',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    headless: true,
  });
  return {
    newPage: async ({ width = 1280, height = 900, javaScriptEnabled = true } = {}) => {
      // A language of its own: that of a bare machine is none that browsers know.
      const context = await browser.newContext({ viewport: { width, height }, locale: 'en-US', javaScriptEnabled });
      const page = await context.newPage();
      const errors: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('request', (request) => requests.push(request.url()));
      return {
        page,
        errors,
        foreignRequests: (origin) => requests.filter((url) => !url.startsWith(origin) && !/^(data|blob):/.test(url)),
      };
    },
    close: async () => {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
