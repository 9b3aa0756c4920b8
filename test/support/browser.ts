/** A real Chromium, out of a package of the registry: no system package and no download of its own is needed. */
import { chromium, type Browser, type Page } from 'playwright-core';
import { chromiumPath } from './chromium.ts';

export const phoneSize = { width: 390, height: 844 };
/** How long anything may take to be seen: machines that run tests have few cores, and much to do on them. */
export const shownMs = 90_000;

interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly javaScriptEnabled?: boolean;
}

export interface TestBrowser {
  /** A page in a context of its own; what it logs as an error and what it asks of other hosts is kept. */
  newPage(options?: PageOptions): Promise<TestPage>;
  /** Closes all pages: what is open goes on being renewed, and takes the time of the next test. For `afterEach`. */
  closePages(): Promise<void>;
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
  const browser: Browser = await chromium.launch({
    executablePath: await chromiumPath(),
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
      context.setDefaultTimeout(shownMs);
      context.setDefaultNavigationTimeout(shownMs);
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
    closePages: async () => {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    close: () => browser.close(),
  };
}

/** Once this is so, what happens is seen by the page without loading it again. */
export async function isLive(page: Page): Promise<void> {
  // The script of the page itself is there as well.
  await page.waitForLoadState();
  // On a small screen it is there and not seen.
  await page.locator('[data-live-state="on"]').waitFor({ state: 'attached' });
}

/** How far a page can be scrolled sideways, pixels. */
export async function overflowOf(page: Page): Promise<unknown> {
  await page.waitForLoadState();
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
